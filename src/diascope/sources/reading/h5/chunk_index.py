"""Where the chunks of an array lie in its file."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from math import prod
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from diascope.errors import Unreadable
from diascope.image.region import Ints, grid_shape
from diascope.stores.store import Blob

MOST = 1 << 18
"""Arrays of more chunks than this are read by the library, since all places are read before the first chunk."""

SPARE = 1 << 16
"""Packing makes a chunk longer by fewer bytes than half of it and these."""


class Places(NamedTuple):
    """Where chunks lie: their numbers in C order of the grid, sorted, and what belongs to each."""

    numbers: array[int]
    offsets: array[int]
    sizes: array[int]
    masks: array[int]


@dataclass(eq=False)
class ChunkIndex:
    """The places of the chunks, read when the first of them is asked for. For many threads."""

    id: Any
    shape: Ints
    chunks: Ints
    itemsize: int
    blob: Blob
    _lock: Lock = field(default_factory=Lock)
    _places: Places | None = None

    def stored(self, place: Ints) -> tuple[int, bytes] | None:
        """The mask and the bytes of the chunk at a place in the grid, None where there is none."""
        places = self._places or self._all()
        number = 0
        for i, size, chunk in zip(place, self.shape, self.chunks, strict=True):
            number = number * -(-size // chunk) + i
        row = bisect_left(places.numbers, number)
        if row == len(places.numbers) or places.numbers[row] != number:
            return None
        offset, size = places.offsets[row], places.sizes[row]
        self._check(place, size)
        data = self.blob.read(offset, offset + size)
        if len(data) < size:
            raise Unreadable(f"the chunk at {place} ends after {len(data)} of {size} bytes")
        return places.masks[row], data

    def _all(self) -> Places:
        with self._lock:
            if self._places is None:
                self._places = self._read(grid_shape(self.shape, self.chunks))
            return self._places

    def _read(self, grid: Ints) -> Places:
        rows: list[tuple[int, ...]] = []
        most = prod(grid)

        def add(found: Any) -> bool | None:
            rows.append((*found.chunk_offset, found.byte_offset, found.size, found.filter_mask))
            # One more shows that there are more, as where a tree leads back into itself.
            return len(rows) > most or None

        self.id.chunk_iter(add)
        if len(rows) > most:
            raise Unreadable(f"there are more than the {most} chunks that the array has room for")
        found = np.array(rows, np.uint64).reshape(-1, len(grid) + 3)
        places = found[:, : len(grid)] // np.array(self.chunks, np.uint64)
        inside = (places < np.array(grid, np.uint64)).all(axis=1) & (found[:, -3] < self.blob.stat.size)
        kept, places = found[inside].astype(np.int64), places[inside].astype(np.int64)
        numbers = np.ravel_multi_index(tuple(places.T), grid)
        order = np.argsort(numbers, kind="stable")
        return Places(*(array("q", column[order].tobytes()) for column in (numbers, *kept[:, -3:].T)))

    def _check(self, place: Ints, size: int) -> None:
        plain = prod(self.chunks) * self.itemsize
        if size > plain + plain // 2 + SPARE:
            raise Unreadable(f"the chunk at {place} has {size} bytes, where {plain} are enough")
