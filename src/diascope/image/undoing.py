"""The way back through a step that bends space, found by trial: Newton's method with halved steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unsupported
from diascope.image.mapping import Positions, Step

MOST_TRIALS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Undone:
    """Where a position comes from; raises Unsupported where no such place is found."""

    step: Step
    near: float
    """How far apart places are by which it is seen how the step changes."""
    tolerance: float
    """How far from a position the step may take what was found for it."""

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def __call__(self, positions: Positions, /) -> Positions:
        wanted = positions.reshape(-1, 3)
        found = wanted.copy()
        left = np.flatnonzero(np.isfinite(wanted).all(axis=1))
        miss = self.step(found[left]) - wanted[left]
        share = np.ones(len(left))
        for _ in range(MOST_TRIALS):
            # A place that is not met within the tolerance is tried again by itself, whatever others do.
            open_ = _size(miss) > self.tolerance
            left, miss, share = left[open_], miss[open_], share[open_]
            if not left.size:
                return found.reshape(positions.shape)
            tried = found[left] - share[:, None] * self._correction(found[left], miss + wanted[left], miss)
            now = self.step(tried) - wanted[left]
            better = _size(now) < _size(miss)
            found[left[better]], miss[better] = tried[better], now[better]
            share = np.where(better, np.minimum(share * 2, 1), share / 4)
        raise Unsupported(
            f"no way back was found for {left.size} of {len(wanted)} places, such as "
            f"{', '.join(f'{number:.6g}' for number in wanted[left[0]])}: space is folded there"
        )

    def inverted(self) -> Step:
        return self.step

    def _correction(self, places: Positions, here: Positions, miss: Positions) -> Positions:
        """By how much the places are to be moved, were the step linear; as much as they miss where it is folded.

        ``here`` is where the step takes them.
        """
        columns = [(self.step(places + self.near * np.eye(3)[axis]) - here) / self.near for axis in range(3)]
        a, b, c = columns
        volume = _triple(a, b, c)
        solved = np.stack([_triple(miss, b, c), _triple(a, miss, c), _triple(a, b, miss)], axis=1) / volume[:, None]
        return np.where(np.isfinite(solved), solved, miss)


def _triple(a: Positions, b: Positions, c: Positions) -> NDArray[np.float64]:
    """The determinants of three columns."""
    return np.asarray(
        a[:, 0] * (b[:, 1] * c[:, 2] - b[:, 2] * c[:, 1])
        - b[:, 0] * (a[:, 1] * c[:, 2] - a[:, 2] * c[:, 1])
        + c[:, 0] * (a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1])
    )


def _size(miss: Positions) -> NDArray[np.float64]:
    """The longest part of each, infinite where it is unknown."""
    return np.where(np.isfinite(miss).all(axis=1), np.abs(miss).max(axis=1), np.inf)
