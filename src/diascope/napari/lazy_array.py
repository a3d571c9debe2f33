"""A level as napari slices it: what is indexed is told at once, and read when numpy asks for it.

napari takes the visible rows and columns of all planes first, and the plane afterwards
(``_ScalarFieldSliceRequest``), so an index must not read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from operator import index
from typing import Any, TypeAlias

import numpy as np

from diascope.image.level import Level, Pixels, assembled
from diascope.image.region import Ints, Region, chunk_region, touched

Pick: TypeAlias = int | range
"""An index along an axis, which is then gone, or those that are left."""

READERS = 8
"""How many chunks are read at once: most of the time of a remote one is waiting."""

WIDEST = 1024
"""Of a larger chunk, which is cached, no more than this is brought to the screen beyond what is visible."""


@dataclass(frozen=True, slots=True, eq=False)
class LazyArray:
    """A part of a level as an array, its axes in any order; booleans are bytes, since napari shows none.

    Indexed by integers, slices and an ellipsis it is another such part; every other index reads.
    """

    level: Level
    picks: tuple[Pick, ...]
    """Along each axis of the level."""
    order: Ints
    """The axes of the level that are left, as they stand in the array."""

    @property
    def shape(self) -> Ints:
        return tuple(len(self._left(d)) for d in self.order)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8) if self.level.dtype.kind == "b" else self.level.dtype

    @property
    def ndim(self) -> int:
        return len(self.order)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def chunks(self) -> Ints | None:
        """The grid that napari widens what is visible to, as zarr tells it; None for a part of an axis."""
        if any(self.picks[d] != range(self.level.shape[d]) for d in self.order):
            return None
        return tuple(min(self.level.chunk_shape[d], WIDEST) for d in self.order)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if not all(_is_basic(each) for each in keys):
            return np.asarray(self)[key]
        picks, taken = list(self.picks), dict(zip(self.order, _expanded(keys, self.ndim), strict=True))
        for d, item in taken.items():
            picks[d] = self._left(d)[item if isinstance(item, slice) else index(item)]
        part = replace(self, picks=tuple(picks), order=tuple(d for d in self.order if isinstance(taken[d], slice)))
        return part if part.order else np.asarray(part)[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Pixels:
        return np.array(self._pixels(), dtype=dtype, copy=copy)

    def _left(self, d: int) -> range:
        pick = self.picks[d]
        return pick if isinstance(pick, range) else range(pick, pick + 1)

    def _pixels(self) -> Pixels:
        ranges = [self._left(d) for d in range(len(self.picks))]
        if not all(map(len, ranges)):
            return np.empty(self.shape, self.dtype)
        region = Region(tuple(min(r[0], r[-1]) for r in ranges), tuple(max(r[0], r[-1]) + 1 for r in ranges))
        kept = [d for d, pick in enumerate(self.picks) if isinstance(pick, range)]
        within = tuple(slice(None, None, pick.step) if isinstance(pick, range) else 0 for pick in self.picks)
        pixels = chunk_by_chunk(self.level, region)[within].transpose([kept.index(d) for d in self.order])
        return pixels.view(np.uint8) if pixels.dtype.kind == "b" else pixels


def lazy_array(level: Level, order: Ints, fixed: dict[int, int] | None = None) -> LazyArray:
    """The level with its axes in this order, and the others at a fixed index."""
    fixed = fixed or {}
    return LazyArray(level, tuple(fixed.get(d, range(size)) for d, size in enumerate(level.shape)), order)


def chunk_by_chunk(level: Level, region: Region) -> Pixels:
    """The pixels of a region, of which several chunks are read at once."""
    boxes = [
        chunk_region(place, level.chunk_shape).intersection(region) for place in touched(region, level.chunk_shape)
    ]
    if len(boxes) == 1:
        return level.read(region)
    return assembled(level, region, zip(boxes, _readers().map(level.read, boxes), strict=True))


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, "diascope-napari")


def _is_basic(item: Any) -> bool:
    return item is Ellipsis or (isinstance(item, slice | int | np.integer) and not isinstance(item, bool))


def _expanded(keys: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    """One for each axis; raises IndexError where there are too many."""
    at = next((k for k, item in enumerate(keys) if item is Ellipsis), len(keys))
    before, after = keys[:at], keys[at + 1 :]
    missing = rank - len(before) - len(after)
    if missing < 0 or any(item is Ellipsis for item in after):
        raise IndexError(f"too many indices for {rank} axes")
    return (*before, *(slice(None),) * missing, *after)
