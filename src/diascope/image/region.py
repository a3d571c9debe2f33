"""Boxes of pixels, and the regular grids they are cut by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from operator import add, le, mul, sub
from typing import TypeAlias

Ints: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """The pixels of one level with ``start[d] <= i < stop[d]``."""

    start: Ints
    stop: Ints

    @property
    def shape(self) -> Ints:
        return tuple(map(sub, self.stop, self.start))

    @property
    def slices(self) -> tuple[slice, ...]:
        return tuple(map(slice, self.start, self.stop))

    def shifted(self, origin: Ints) -> Region:
        """The same box with its indices counted from this origin."""
        return Region(tuple(map(sub, self.start, origin)), tuple(map(sub, self.stop, origin)))

    def clipped(self, shape: Ints) -> Region:
        """The part of the region inside an array of this shape; empty, never inverted, where nothing is."""
        return self.intersection(Region((0,) * len(shape), shape))

    def intersection(self, other: Region) -> Region:
        start = tuple(map(max, self.start, other.start))
        return Region(start, tuple(map(max, start, map(min, self.stop, other.stop))))

    def inside(self, shape: Ints) -> bool:
        same_rank = len(self.start) == len(self.stop) == len(shape)
        # Asked for each read of each level: without a loop of its own.
        in_order = min(self.start, default=0) >= 0 and all(map(le, self.start, self.stop))
        return same_rank and in_order and all(map(le, self.stop, shape))


def whole(shape: Ints) -> Region:
    """All the pixels of an array."""
    return Region((0,) * len(shape), shape)


def grid_shape(shape: Ints, chunk_shape: Ints) -> Ints:
    """How many chunks cover the shape along each axis."""
    return tuple(-(-size // chunk) for size, chunk in zip(shape, chunk_shape, strict=True))


def chunk_region(index: Ints, chunk_shape: Ints) -> Region:
    """The whole chunk at this place in the grid, reaching over the edge where the last one does."""
    start = tuple(map(mul, index, chunk_shape))
    return Region(start, tuple(map(add, start, chunk_shape)))


def touched(region: Region, chunk_shape: Ints) -> Iterator[Ints]:
    """The places in the grid of the chunks that a region touches, in C order."""
    if 0 in region.shape:
        return iter(())
    axes = zip(region.start, region.stop, chunk_shape, strict=True)
    return product(*(range(start // chunk, -(-stop // chunk)) for start, stop, chunk in axes))
