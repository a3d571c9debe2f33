"""Blocks of N5 datasets (https://github.com/saalfeldlab/n5#file-system-specification).

Big-endian, x fastest; at the upper edges a block ends with the level ::

    0   2      0: an array of plain pixels
    2   2      n, how many axes
    4   4 n    the sizes, x first
        …      the pixels, packed

They are packed with gzip, unless the level is stored in such blocks already, of which only the heads are made.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from diascope.haste import pause
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region, chunk_region
from diascope.image.stored import Stored, is_inside
from diascope.layouts.packing import LEVELS, PACKED, SHUFFLES, frames
from diascope.tree.file import File, whole

PLAIN = 0
"""The mode of a block that has one value a pixel."""

NAMED = frozenset({"raw", "gzip", "blosc"})
"""The ways of packing that every reader knows."""

MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, kw_only=True, eq=False)
class Blocks:
    """Those of a level."""

    level: Level
    axes: str
    chunk_shape: Ints
    dtype: np.dtype[Any]
    """What the pixels are stored as, in whatever byte order."""

    @cached_property
    def stored(self) -> Stored | None:
        """The chunks that are the pixels of blocks already."""
        stored = self.level.stored
        if stored is None or stored.codec not in NAMED or stored.dtype != self.dtype.newbyteorder(">"):
            return None
        return stored if stored.is_in(self.level, self.axes, self.chunk_shape) else None

    @property
    def compression(self) -> dict[str, Any]:
        """What the attributes say of it."""
        name = self.stored.codec if self.stored else "gzip"
        if name == "gzip":
            return {"type": "gzip", "level": LEVELS["gzip"], "useZlib": False}
        if self.stored is None or name == "raw":
            return {"type": "raw"}
        told = frames(self.stored.parameters, self.dtype.itemsize)
        kept = {key: told[key] for key in ("cname", "clevel", "blocksize")}
        return {"type": "blosc", "shuffle": SHUFFLES.index(told["shuffle"])} | kept

    def file(self, index: Ints, turned: Callable[[Pixels], Pixels]) -> File:
        """The block at this place in the grid; ``turned`` gives it the dataset's axes."""
        region = chunk_region(index, self.chunk_shape).clipped(self.level.shape)
        stored = self.stored
        if stored is None or (stored.is_padded and not is_inside(self.level, index)):
            return whole(lambda: self._made(region, turned), MEDIA_TYPE)
        chunk = stored.chunk

        def passed() -> bytes:
            data = chunk(index)
            if data is None:
                pause()
                return self._made(region, turned)
            return _head(turned(np.broadcast_to(np.uint8(0), region.shape)).shape) + data

        return whole(passed, MEDIA_TYPE, cheap=stored.is_near)

    def _made(self, region: Region, turned: Callable[[Pixels], Pixels]) -> bytes:
        pixels = turned(self.level.read(region))
        packed = PACKED[self.stored.codec if self.stored else "gzip"]
        return _head(pixels.shape) + packed(pixels.astype(self.dtype.newbyteorder(">"), copy=False))


def _head(shape: Ints) -> bytes:
    return struct.pack(f">HH{len(shape)}I", PLAIN, len(shape), *shape[::-1])
