"""From the bytes of a stored chunk to its pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Ints
from diascope.sources.reading.packed.packing import Packing
from diascope.sources.reading.packed.unpacking import Bytes, Unpack

Turn: TypeAlias = Callable[[Pixels], Pixels]

LARGEST_CHUNK = 1 << 30


class Body(Protocol):
    """What makes an array of bytes."""

    @property
    def encoded_size(self) -> int | None:
        """How many bytes it needs, None where that depends on the pixels."""
        ...

    def decode(self, data: Bytes) -> Pixels: ...


@dataclass(frozen=True, slots=True)
class Plain:
    """Pixels one after the other in C order."""

    shape: Ints
    dtype: np.dtype[Any]
    """In the byte order that is stored."""

    @property
    def encoded_size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def decode(self, data: Bytes) -> Pixels:
        """The pixels in the machine's byte order, a view of the data where that is the stored one."""
        size = memoryview(data).nbytes
        if size != self.encoded_size:
            raise ValueError(f"it holds {size} bytes instead of {self.encoded_size}")
        pixels = np.frombuffer(data, self.dtype).reshape(self.shape)
        return pixels.astype(self.dtype.newbyteorder("="), copy=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Codecs in the order of decoding."""

    unpacks: tuple[Unpack, ...]
    body: Body
    turns: tuple[Turn, ...]
    packing: Packing | None = None
    """What they come to, where that is plain pixels packed by one codec of a well-known name at the most."""

    def decode(self, data: Bytes) -> Pixels:
        """The pixels of one chunk; raises whatever a codec raises where the data is corrupt."""
        exact = self.body.encoded_size
        # Codecs before the last may add checksums, or keep pixels in a type up to eight times as wide.
        most = 8 * (exact or LARGEST_CHUNK // 8) + (1 << 16)
        last = len(self.unpacks) - 1
        for k, unpack in enumerate(self.unpacks):
            data = unpack(data, most if k < last or exact is None else exact)
        pixels = self.body.decode(data)
        for turn in self.turns:
            pixels = turn(pixels)
        return pixels
