"""A few of an image's pixels that stand for all, the same ones whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region


def sampled_level(image: Image, most: int) -> int:
    """The number of the finest level whose planes have at most so many pixels, else of the coarsest."""
    fits = (k for k, level in enumerate(image.levels) if level.shape[-1] * level.shape[-2] <= most)
    return next(fits, len(image.levels) - 1)


def planes(level: Level, axes: str, most: int, fixed: dict[str, int] | None = None) -> Iterator[Pixels]:
    """Planes (y, x) of a level, evenly spread over its other axes, with about ``most`` pixels together.

    ``fixed`` holds axes at an index. A plane larger than ``most`` is cut to its middle.
    """
    fixed = fixed or {}
    height, width = level.shape[-2:]
    rows, columns = min(height, most), min(width, max(most // min(height, most), 1))
    number = max(most // (rows * columns), 1)
    top, left = (height - rows) // 2, (width - columns) // 2
    for place in _spread(level, axes, number, fixed):
        region = Region((*place, top, left), (*(i + 1 for i in place), top + rows, left + columns))
        yield level.read(region).reshape(rows, columns)


def _spread(level: Level, axes: str, number: int, fixed: dict[str, int]) -> Iterator[tuple[int, ...]]:
    """At most so many places of the axes before y and x, evenly spread."""
    options = []
    for name, size in zip(axes[:-2], level.shape[:-2], strict=True):
        count = 1 if name in fixed else min(size, number)
        number = max(number // count, 1)
        picks = [fixed[name]] if name in fixed else np.linspace(0, size - 1, count).round().astype(int).tolist()
        # One pick alone is the middle, not the edge.
        options.append([size // 2] if count == 1 and name not in fixed else picks)
    return product(*options)
