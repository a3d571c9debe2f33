"""Many chunks in one stored object (https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/).

    | chunk | chunk | ... | index |      or, with the index at the start,      | index | chunk | chunk | ... |

The index is an array of u64 in the shape of the grid of chunks, each place having the start and the number of bytes;
both are 2^64 - 1 where the chunk is missing. It is encoded by codecs of its own, usually with a crc32c behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.image.level import Pixels
from diascope.image.region import Ints, chunk_region, grid_shape
from diascope.sources.reading.packed.unpacking import Bytes
from diascope.sources.zarr.chain import LARGEST_CHUNK, Chain

Read: TypeAlias = Callable[[int, int], bytes]
Index: TypeAlias = NDArray[np.uint64]

MISSING = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharding:
    """A shard of ``shape`` pixels, cut into chunks that lie in it one by one."""

    shape: Ints
    chunk_shape: Ints
    dtype: np.dtype[Any]
    inner: Chain
    index: Chain
    index_size: int
    """In bytes, as stored."""
    index_first: bool
    fill: NDArray[Any]

    @property
    def encoded_size(self) -> None:
        return None

    def index_of(self, read: Read, size: int) -> Index:
        """The index of a shard of so many bytes; raises ValueError where it is corrupt."""
        if size < self.index_size:
            raise ValueError(f"the shard of {size} bytes is shorter than its index of {self.index_size}")
        start = 0 if self.index_first else size - self.index_size
        return self.index.decode(read(start, start + self.index_size))

    def packed(self, read: Read, size: int, index: Index, place: Ints) -> bytes | None:
        """The bytes of the chunk at a place in the shard, None where it is missing."""
        start, length = map(int, index[place])
        if start == length == MISSING:
            return None
        if start + length > size or length > 2 * LARGEST_CHUNK:
            raise ValueError(f"the index places {length} bytes at {start} in a shard of {size} bytes")
        return read(start, start + length)

    def decode(self, data: Bytes) -> Pixels:
        """All the pixels of a shard that is in memory."""
        view = memoryview(data).cast("B")

        def read(start: int, stop: int) -> bytes:
            return bytes(view[start:stop])

        index = self.index_of(read, len(view))
        out = np.full(self.shape, self.fill, self.dtype)
        for place in product(*map(range, grid_shape(self.shape, self.chunk_shape))):
            data = self.packed(read, len(view), index, place)
            if data is not None:
                out[chunk_region(place, self.chunk_shape).slices] = self.inner.decode(data)
        return out

    @property
    def nbytes(self) -> int:
        """Of the whole shard's pixels."""
        return math.prod(self.shape) * self.dtype.itemsize
