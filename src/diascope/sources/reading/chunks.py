"""Regions of arrays that are stored in chunks of equal shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from diascope import fleeting
from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region


def read_chunks(region: Region, chunk_shape: Ints, dtype: np.dtype[Any], chunk: Callable[[Ints], Pixels]) -> Pixels:
    """The pixels of a region out of the chunks at places of the grid, not to be written to.

    A view of the chunk where the region lies in one. A chunk may end at the edge of the array.
    """
    along = [list(_pieces(*ends)) for ends in zip(region.start, region.stop, chunk_shape, strict=True)]
    if all(len(pieces) == 1 for pieces in along):
        place, _, within = zip(*(pieces[0] for pieces in along), strict=True)
        return chunk(place)[within]
    out = np.empty(region.shape, dtype)
    for pieces in product(*along):
        place, into, within = zip(*pieces, strict=True)
        out[into] = chunk(place)[within]
    return out


def _pieces(start: int, stop: int, size: int) -> Iterator[tuple[int, slice, slice]]:
    """Along one axis: each chunk that a range touches, its part of the range, and its part of the chunk."""
    for index in range(start // size, -(-stop // size) if stop > start else 0):
        first = index * size
        low, high = max(start, first), min(stop, first + size)
        yield index, slice(low - start, high - start), slice(low - first, high - first)


def missing(fill: Any, shape: Ints) -> Pixels:
    """What stands where no chunk has been written yet."""
    fleeting.note()
    return np.broadcast_to(fill, shape)


def corrupt(key: str, error: Exception) -> Unreadable:
    """What to raise of a chunk that cannot be decoded."""
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return Unreadable(f"{key}: this chunk is corrupt: {reason}")
