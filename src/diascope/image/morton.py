"""Cells of a grid counted along the compressed Morton code, which takes the bits of their indices in turn.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md, "Sharded chunk storage": for
each place of a bit and each axis in turn, the code has that bit of the index where the grid is longer than it counts.
In a grid of 3, 2 and 1 cells ::

    code    bit 2: x, place 1     bit 1: y, place 0     bit 0: x, place 0

Codes that agree in their upper bits are those of a box. Many a code is that of no cell, where a grid's length is no
power of two; how much lies before a code is a sum over boxes nevertheless, one for each bit that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from diascope.image.region import Ints, Region

Measure: TypeAlias = Callable[[Region], int]
"""Of a box of cells: the sum of those of the boxes that it is cut into, and zero of an empty one."""


def cells(box: Region) -> int:
    """How many there are in a box."""
    return prod(box.shape)


@dataclass(frozen=True, slots=True)
class Curve:
    """The order of the cells of a grid."""

    shape: Ints
    """How many cells along each axis."""
    axes: Ints
    """The axis that a bit of a code belongs to, from the lowest bit on."""

    @property
    def bits(self) -> int:
        """Of the longest code."""
        return len(self.axes)

    def index(self, code: int) -> Ints:
        """The cell of a code, which may lie beyond the grid."""
        index, places = [0] * len(self.shape), [0] * len(self.shape)
        for bit, axis in enumerate(self.axes):
            index[axis] |= (code >> bit & 1) << places[axis]
            places[axis] += 1
        return tuple(index)

    def code(self, index: Ints) -> int:
        """The code of a cell of the grid."""
        code, places = 0, [0] * len(self.shape)
        for bit, axis in enumerate(self.axes):
            code |= (index[axis] >> places[axis] & 1) << bit
            places[axis] += 1
        return code

    def box(self, prefix: int, low: int) -> Region:
        """The cells of the grid whose codes have these bits before their lowest ones; it may be empty."""
        start = self.index(prefix << low)
        sides = [1 << self.axes[:low].count(axis) for axis in range(len(self.shape))]
        return Region(start, tuple(map(sum, zip(start, sides, strict=True)))).clipped(self.shape)

    def before(self, code: int, low: int, measure: Measure) -> int:
        """How much lies before a code in the box of those that differ from it in their lowest bits alone."""
        return sum(measure(self.box(code >> bit ^ 1, bit)) for bit in range(low) if code >> bit & 1)

    def found(self, place: int, prefix: int, low: int, measure: Measure) -> tuple[int, int]:
        """The code in a box at which so much of it has gone by, and what is left of that."""
        for bit in reversed(range(low)):
            prefix <<= 1
            size = measure(self.box(prefix, bit))
            if place >= size:
                place -= size
                prefix += 1
        return prefix, place

    def codes(self, start: int, stop: int) -> Iterator[int]:
        """Those of cells, in order; runs of others are stepped over."""
        while start < stop:
            if all(i < n for i, n in zip(self.index(start), self.shape, strict=True)):
                yield start
                start += 1
            else:
                # The cell lies before all others of the largest box that begins with it.
                start += start & -start or stop

    def coarser(self, low: int) -> Curve:
        """That of the boxes whose codes differ in this many of their lowest bits alone."""
        sides = [1 << self.axes[:low].count(axis) for axis in range(len(self.shape))]
        return Curve(tuple(-(-n // side) for n, side in zip(self.shape, sides, strict=True)), self.axes[low:])


def curve(shape: Ints) -> Curve:
    """The order of the cells of a grid of this shape, the axis x first."""
    places = range(max(shape).bit_length())
    return Curve(shape, tuple(axis for place in places for axis, n in enumerate(shape) if 1 << place < n))
