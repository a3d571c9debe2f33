"""A grid of cells of a physical size, which are the same whichever part of a level is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

LEAST = 16.0
"""Along an axis, in pixels: fewer make no histogram."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Along an axis of so many pixels, from its first one on; the last of them reaches to the end."""

    size: int
    width: float

    @property
    def count(self) -> int:
        return max(floor(self.size / self.width + 0.5), 1)

    def start(self, cell: int) -> int:
        """The first pixel of a cell, or the end."""
        return self.size if cell >= self.count else floor(cell * self.width + 0.5)

    def centre(self, cell: int) -> float:
        return (self.start(cell) + self.start(cell + 1) - 1) / 2

    def around(self, start: int, stop: int) -> NDArray[np.int64]:
        """Where the cells start whose centres lie about these pixels, and where the last one stops."""
        first = min(max(floor(start / self.width) - 1, 0), self.count - 1)
        last = min(floor((stop - 1) / self.width) + 1, self.count - 1)
        while first < last and self.centre(first + 1) <= start:
            first += 1
        while first < last and self.centre(last - 1) >= stop - 1:
            last -= 1
        return np.array([self.start(cell) for cell in range(first, last + 2)])


def cells(size: int, width: float) -> Cells:
    """Cells of about so many pixels, but never too few."""
    return Cells(size, max(width, LEAST))
