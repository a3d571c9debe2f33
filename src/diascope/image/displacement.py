"""Fields of displacements: maps that move each position by a vector, which is interpolated between those of a grid.

As ITK's DisplacementFieldTransform does it: linear between vectors, the outermost ones repeated for half a pixel, and
nothing moves outside. https://itk.org/Doxygen/html/classitk_1_1DisplacementFieldTransform.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.level import Level
from diascope.image.mapping import Linear, Positions, Step
from diascope.image.region import Region
from diascope.image.undoing import Undone

CHEAP = 1 << 15
"""A box of so many vectors is read at once, however few of them are needed."""

WASTE = 4
"""So many times as many vectors as there are positions are read at once."""

NEAR = 1e-3
"""In pixels of the field: by what distance it is seen how it changes."""

TOLERANCE = 1e-4
"""In pixels of the field: how exact its inverse is."""


@dataclass(frozen=True, slots=True, eq=False)
class Displacement:
    """Each position moved by the vector that the field has there; only the part of it that is needed is read."""

    field: Level
    """Along the axes c, z, y and x; its channels are the parts of the vectors along the positions' axes."""
    to_index: Linear
    """From positions to indices x, y and z in the field; 0 along z where the field is a plane."""
    signs: tuple[float, float, float]
    """By which the parts of the vectors are multiplied."""
    pixel: float
    """The shortest distance of its vectors, as a length of positions."""
    clamped: bool = False
    """Whether the outermost vectors hold for all that lies outside, where otherwise nothing moves."""

    def __call__(self, positions: Positions, /) -> Positions:
        flat = np.ascontiguousarray(positions.reshape(-1, 3))
        moved = flat.copy()
        self._move(self.to_index(flat), moved)
        return moved.reshape(positions.shape)

    def inverted(self) -> Step:
        return Undisplaced(self)

    @property
    def size(self) -> NDArray[np.int64]:
        """Along x, y and z."""
        return np.array(self.field.shape[:0:-1])

    def covers(self, places: Positions) -> NDArray[np.bool_]:
        """Whether places, in indices, lie in a pixel of the field."""
        return np.asarray(((places >= -0.5) & (places < self.size - 0.5)).all(axis=-1))

    def _move(self, places: Positions, moved: Positions) -> None:
        from diascope.image import bending

        limits = np.full((2, 3), np.inf) if self.clamped else np.stack([[0.5] * 3, self.size - 0.5])
        box = enclosing(bending.ends_of(places.T, limits), self)
        count = len(places)
        if box is None:
            return
        if is_wasteful(box, count):
            for part in (slice(0, count // 2), slice(count // 2, count)):
                self._move(places[part], moved[part])
            return
        vectors, first = vectors_of(self, box)
        bending.displaced(places, moved, vectors, first, self.size, np.array(self.signs), self.clamped)


def enclosing(ends: NDArray[np.float64], field: Displacement) -> Region | None:
    """The field's pixels that places are between, the lowest and highest of which are given; None of none.

    All outside, or lowest ones that are higher than the highest, are none.
    """
    low, high = ends
    outside = ((high < -0.5) | (low >= field.size - 0.5)).any() and not field.clamped
    if low[0] > high[0] or outside:
        return None
    ends = np.clip(ends, 0, field.size - 1)
    first = np.floor(ends[0]).astype(int)
    stop = np.minimum(np.floor(ends[1]).astype(int) + 2, field.size)
    return Region((0, *first[::-1].tolist()), (field.field.shape[0], *stop[::-1].tolist()))


def is_wasteful(box: Region, count: int) -> bool:
    """Whether a box of vectors for so many positions is better read in parts."""
    return count > 1 and prod(box.shape[1:]) > max(CHEAP, WASTE * count)


def vectors_of(field: Displacement, box: Region | None) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The vectors of a box as the compiled loops take them, and the index x, y and z of the first."""
    if box is None:
        return np.empty((field.field.shape[0], 0, 0, 0), np.float32), np.zeros(3, np.int64)
    vectors = field.field.read(box)
    kind = np.float64 if vectors.dtype != np.float32 else np.float32
    return np.ascontiguousarray(vectors, dtype=kind), np.array(box.start[:0:-1], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Undisplaced:
    """Where a position was moved from; nowhere, where no place is moved to it; raises Unsupported where none is found.

    Where several are, one of them inside the field is taken.
    """

    step: Displacement

    def __call__(self, positions: Positions, /) -> Positions:
        # Nothing moves outside, so that the field breaks off at its edge; it is undone as if it went on.
        clamped = replace(self.step, clamped=True)
        found = Undone(clamped, NEAR * self.step.pixel, TOLERANCE * self.step.pixel)(positions)
        from_inside = self.step.covers(self.step.to_index(found))
        still = ~self.step.covers(self.step.to_index(positions))
        return np.where(from_inside[..., None], found, np.where(still[..., None], positions, np.nan))

    def inverted(self) -> Step:
        return self.step
