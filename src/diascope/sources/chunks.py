"""Regions of arrays that are stored in chunks of equal shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diascope import fleeting
from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region, chunk_region, touched


def read_chunks(region: Region, chunk_shape: Ints, dtype: np.dtype[Any], chunk: Callable[[Ints], Pixels]) -> Pixels:
    """The pixels of a region out of the chunks at places of the grid, not to be written to.

    A view of the chunk where the region lies in one. A chunk may end at the edge of the array.
    """
    places = list(touched(region, chunk_shape))
    if len(places) == 1:
        origin = chunk_region(places[0], chunk_shape).start
        return chunk(places[0])[region.shifted(origin).slices]
    out = np.empty(region.shape, dtype)
    for place in places:
        box = chunk_region(place, chunk_shape)
        both = box.intersection(region)
        out[both.shifted(region.start).slices] = chunk(place)[both.shifted(box.start).slices]
    return out


def missing(fill: Any, shape: Ints) -> Pixels:
    """What stands where no chunk has been written yet."""
    fleeting.note()
    return np.broadcast_to(fill, shape)


def corrupt(key: str, error: Exception) -> Unreadable:
    """What to raise of a chunk that cannot be decoded."""
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return Unreadable(f"{key}: this chunk is corrupt: {reason}")
