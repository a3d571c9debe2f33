"""A few of an image's pixels that stand for all, the same ones whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region

AFFORDABLE = 1 << 26
"""So many stored pixels are read in a moment."""

BLOCKS = 8
"""Of a plane that is too large so many blocks along rows and columns are looked at."""

SIDE = 64
"""How many rows and columns a block has."""


def plane_size(level: Level) -> int:
    """How many pixels a plane has."""
    return level.shape[-2] * level.shape[-1]


def is_affordable(level: Level) -> bool:
    """Whether a plane can be read without delay, should the level have to be made."""
    return plane_size(level) * prod(level.chunk_shape[:-2]) * level.cost <= AFFORDABLE


def sampled_level(image: Image, most: int) -> int:
    """The number of the finest level whose planes have at most so many pixels and are affordable.

    Where there is none, that of the coarsest level whose blocks are.
    """
    fits = (k for k, level in enumerate(image.levels) if plane_size(level) <= most and is_affordable(level))
    return next(fits, reduced_level(image))


def reduced_level(image: Image) -> int:
    """The number of the coarsest level whose blocks are affordable, though each costs the chunk that it lies in."""
    most = AFFORDABLE / BLOCKS**2
    return max(k for k, level in enumerate(image.levels) if k == 0 or prod(level.chunk_shape) * level.cost <= most)


def planes(level: Level, axes: str, most: int, fixed: dict[str, int] | None = None) -> Iterator[Pixels]:
    """Planes (y, x) of a level, evenly spread over its other axes, with about ``most`` pixels together.

    ``fixed`` holds axes at an index. Of planes that are too large the blocks are given.
    """
    size = plane_size(level)
    number = max(most // size, 1)
    for place in _spread(level, axes, number, fixed or {}):
        for box in blocks(level) if size > most or not is_affordable(level) else [((0, 0), level.shape[-2:])]:
            yield _read(level, place, box)


def blocks(level: Level) -> Iterator[tuple[Ints, Ints]]:
    """Start and stop, in rows and columns, of blocks that are spread evenly over a plane."""
    for start in product(*map(_starts, level.shape[-2:])):
        stop = tuple(min(at + SIDE, size) for at, size in zip(start, level.shape[-2:], strict=True))
        yield start, stop


def _read(level: Level, place: Ints, box: tuple[Ints, Ints]) -> Pixels:
    region = Region((*place, *box[0]), (*(i + 1 for i in place), *box[1]))
    return level.read(region).reshape(region.shape[-2:])


def _starts(size: int) -> list[int]:
    """Where blocks begin that are spread evenly, the first and the last at the ends."""
    if size <= SIDE * BLOCKS:
        return list(range(0, size, SIDE))
    return [k * (size - SIDE) // (BLOCKS - 1) for k in range(BLOCKS)]


def _spread(level: Level, axes: str, number: int, fixed: dict[str, int]) -> Iterator[Ints]:
    """At most so many places of the axes before y and x, evenly spread."""
    options = []
    for name, size in zip(axes[:-2], level.shape[:-2], strict=True):
        count = 1 if name in fixed else min(size, number)
        number = max(number // count, 1)
        picks = [fixed[name]] if name in fixed else np.linspace(0, size - 1, count).round().astype(int).tolist()
        # One pick alone is the middle, not the edge.
        options.append([size // 2] if count == 1 and name not in fixed else picks)
    return product(*options)
