"""The columns of pixels along an axis, read in parts that fit in memory and are cut where chunks are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from diascope.image.level import Level, Pixels, assembled
from diascope.image.region import Ints, Region
from diascope.operations.folds import Fold
from diascope.operations.operation import grown, with_edges
from diascope.operations.planes import flat, raised

SLAB = 1 << 26
"""About how many bytes of stored pixels are held at a time, at least one plane."""

WORKING = 1 << 20
"""So many pixels are weighed at a time, each of which needs several numbers."""

CELL = 64
"""Where chunks are longer, the parts of what needs more memory than a slab are cut at multiples of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The pixels of a level from start to stop along an axis, each column of them made one pixel."""

    level: Level
    at: int
    start: int
    stop: int
    fold: Fold
    """It leaves out the halo of the planes."""
    dtype: np.dtype[Any]
    """Of the result."""
    together: bool = False
    """Whether the fold holds all the planes."""
    halo: Ints = ()
    """How many neighbours on each side the fold needs, per axis of the result; empty for none."""
    whole: int | None = None
    """The axis of the result that the fold needs whole."""

    @property
    def made(self) -> Level:
        """The level that lacks the axis."""
        behind = max(self.stop - self.start, self.level.chunk_shape[self.at])
        level = flat(self.level, self.at, self.read)
        return replace(level, dtype=self.dtype, cost=self.level.cost * behind)

    def read(self, region: Region) -> Pixels:
        """A region of the result, in memory that does not grow with the axis' length unless the planes are held."""
        made = self.made
        if 0 in region.shape:
            return np.empty(region.shape, self.dtype)
        wanted = self._widened(region)
        cut = list(parts(wanted, *self._cuts()))
        pieces = ((part, self._folded(part)) for part in cut)
        pixels = next(pieces)[1] if len(cut) == 1 else assembled(made, wanted, pieces)
        return pixels[region.shifted(wanted.start).slices]

    def _cuts(self) -> tuple[Ints, int]:
        """Where a region may be cut into parts, and how many pixels these may have."""
        chunk = flat(self.level, self.at, self.read).chunk_shape
        held = self.stop - self.start
        if not self.together:
            held = min(held, self.level.chunk_shape[self.at])
        most = max(SLAB // (held * self.level.dtype.itemsize), 1)
        if not self.together and not self.halo:
            return chunk, most
        return tuple(min(CELL, side) for side in chunk), min(most, WORKING)

    def _widened(self, region: Region) -> Region:
        start, stop = list(region.start), list(region.stop)
        if self.whole is not None:
            start[self.whole], stop[self.whole] = 0, self.made.shape[self.whole]
        return Region(tuple(start), tuple(stop))

    def _folded(self, part: Region) -> Pixels:
        with np.errstate(all="ignore"):
            return self.fold(self._slabs(part), self.dtype)

    def _slabs(self, part: Region) -> Iterator[Pixels]:
        """The planes, read a chunk at a time or as many as fit; beyond an edge the nearest pixel is repeated."""
        chunk = self.level.chunk_shape[self.at]
        wanted = grown(part, self.halo or (0,) * len(part.start))
        depth = max(min(chunk, SLAB // max(prod(wanted.shape) * self.level.dtype.itemsize, 1)), 1)
        start = self.start
        while start < self.stop:
            end = min((start // chunk + 1) * chunk, start + depth, self.stop)
            slab = np.moveaxis(with_edges(self.level, raised(wanted, self.at, start, end)), self.at, 0)
            # Planes that lie across the memory are gathered once, not one after another.
            yield np.ascontiguousarray(slab) if slab.strides[0] == slab.itemsize else slab
            start = end


def parts(region: Region, grid: Ints, most: int) -> Iterator[Region]:
    """Parts of a region, cut between cells of a grid, that have at most so many pixels or are one cell."""
    cuts = [_cut(*each) for each in zip(region.start, region.stop, grid, strict=True)]
    longest = max(range(len(cuts)), key=lambda d: cuts[d][1])
    at, cells = cuts[longest]
    if prod(region.shape) <= most or cells == 1:
        yield region
        return
    start, stop = list(region.start), list(region.stop)
    start[longest] = stop[longest] = at
    yield from parts(Region(region.start, tuple(stop)), grid, most)
    yield from parts(Region(tuple(start), region.stop), grid, most)


def _cut(start: int, stop: int, side: int) -> tuple[int, int]:
    """Where a cell begins near the middle, and how many cells there are."""
    first, last = start // side, -(-stop // side)
    return (first + last) // 2 * side, last - first
