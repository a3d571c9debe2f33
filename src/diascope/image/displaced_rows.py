"""Where a field of displacements takes the pixels of a grid, a row at a time where its axes are those of the field.

The vectors between two rows of the field are then the same for all pixels of a row, and are worked out once. Other
grids, and what bends space otherwise, go position by position.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from diascope.image.displacement import Displacement, enclosing, is_wasteful, vectors_of
from diascope.image.mapping import Linear, Mapping, linear, product
from diascope.image.region import Ints

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DisplacedRows:
    """The way of a grid's pixels to places, all indices and positions along x, y and z."""

    field: Displacement
    before: Matrix
    """From the grid's indices to the positions that are moved."""
    index: Matrix
    """From the grid's indices to those of the field; only the one along x changes along a row."""
    after: Matrix
    """From the moved positions to the places."""

    def places(self, start: Ints, stop: Ints) -> Matrix:
        """Of the pixels of a box of the grid, along z, y and x; of shape (3, z, y, x)."""
        places = np.empty((3, *(b - a for a, b in zip(start, stop, strict=True))))
        self._fill(places, start)
        return places

    def _fill(self, places: Matrix, start: Ints) -> None:
        from diascope.image import bending

        shape = places.shape[1:]
        box = enclosing(self._ends(start, shape), self.field)
        if box is not None and is_wasteful(box, prod(shape)):
            axis = max(range(3), key=lambda d: shape[d])
            middle = shape[axis] // 2
            before, behind = np.split(places, [middle], axis=axis + 1)
            self._fill(before, start)
            self._fill(behind, tuple(first + middle * (d == axis) for d, first in enumerate(start)))
            return
        vectors, first = vectors_of(self.field, box)
        along = np.array(start[::-1], np.float64)
        bending.displaced_rows(
            places, along, self.before, self.index, self.after,
            vectors, first, self.field.size, np.array(self.field.signs), self.field.clamped,
        )  # fmt: skip

    def _ends(self, start: Ints, shape: Ints) -> Matrix:
        """The lowest and the highest indices in the field: each is a sum that grows or shrinks along every axis."""
        corners = [(float(first), float(first + size - 1)) for first, size in zip(start, shape, strict=True)][::-1]
        a = self.index
        places = [[a[d, 0] * x + (a[d, 1] * y + a[d, 2] * z + a[d, 3]) for d in range(3)]
                  for x, y, z in combinations(*corners)]  # fmt: skip
        return np.array([np.min(places, axis=0), np.max(places, axis=0)])


def displaced_rows(bent: Mapping, pixels: Matrix, source: Matrix) -> DisplacedRows | None:
    """The way from a grid to a source, whose indices these matrices take to positions; None where rows do not do."""
    steps = bent.steps
    fields = [(k, step) for k, step in enumerate(steps) if isinstance(step, Displacement)]
    if len(fields) != 1 or sum(isinstance(step, Linear) for step in steps) != len(steps) - 1:
        return None
    ((at, field),) = fields
    before, after = steps[:at], steps[at + 1 :]
    positions = product(Mapping(before).matrix, pixels)
    index = product(field.to_index.array, positions)
    if index[1:3, 0].any() or not np.isfinite(index).all():
        return None
    return DisplacedRows(field, positions, index, product(linear(source).inverted().array, Mapping(after).matrix))
