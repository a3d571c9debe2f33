"""One axis of an array as files tell of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diascope.image.level import Pixels

LONGEST_SCALE = 1 << 20
"""A list of more positions than this is not looked at."""

EQUAL = 1e-3
"""By how much of their mean the distances of neighbours may differ."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What is told of an axis."""

    name: str | None = None
    unit: str | None = None
    """As the file has it."""
    step: float = 1.0
    first: float = 0.0


def spaced(name: str, positions: Pixels, unit: str) -> Dimension:
    """An axis by the positions of its pixels; where they are not equally far apart and rising, by its name alone."""
    values = np.asarray(positions, np.float64)
    steps = np.diff(values)
    if not len(steps) or not np.isfinite(values).all():
        return Dimension(name)
    mean = float(steps.mean())
    if mean <= 0 or np.abs(steps - mean).max() > EQUAL * mean:
        return Dimension(name)
    return Dimension(name, unit or None, mean, float(values[0]))
