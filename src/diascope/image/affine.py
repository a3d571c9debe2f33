"""An affine map from the physical space of an image into a named world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Affine:
    """``matrix @ (x, y, z, 1)``: from physical positions of the image, in its axes' units, to millimetres in the world.

    The order is x, y, z on both sides; the world's axes point to the right, anterior and superior (RAS+) where it is
    an anatomical one.
    """

    matrix: Matrix
    """Four rows of four, the last 0 0 0 1."""
    space: str
    """Its name: ``scanner``, ``aligned``, ``talairach``, ``mni152`` (NIfTI's words), or another."""

    @property
    def array(self) -> NDArray[np.float64]:
        return np.array(self.matrix, dtype=np.float64)


def affine(matrix: NDArray[Any], space: str) -> Affine:
    """The map of an array of four rows and columns."""
    rows = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in np.asarray(matrix, np.float64))
    return Affine(rows, space)
