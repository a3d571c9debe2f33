"""The grids of images that are bent, and the parameters that say which."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from typing import TypeAlias

import numpy as np

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.mapping import Mapping, Positions
from diascope.image.resampled import Grid
from diascope.image.space import edges
from diascope.operations.grids import counted, grid, same_grid, with_spacing
from diascope.operations.lengths import SMALLEST, Vector, vector

Ends: TypeAlias = tuple[float, ...]

STEPS = 16
"""Into so many parts each edge is cut, to see where it comes to lie."""

SIZE = "Instead of a domain: how many pixels along x+y, or x+y+z."
ORIGIN = "The position of the centre of the first of them; by default 0."
PIXEL = "Their distances along x+y(+z); by default as in the image."


def refuse_grid(size: Sequence[float] | None, origin: Sequence[float] | None, pixel: Sequence[float] | None) -> None:
    """Raise ValueError where these are none."""
    if size is not None and any(not 1 <= n <= 2**31 - 1 or n != int(n) for n in size):
        raise ValueError("size is whole numbers from 1 on")
    if pixel is not None and any(by < SMALLEST for by in pixel):
        raise ValueError("pixel is lengths above 0")
    if origin is not None and size is None:
        raise ValueError("an origin goes with a size")


def spacing_of(image: Image, pixel: Sequence[float] | None, by: Vector) -> Vector:
    """The distances that are given in a unit of which ``by`` make one, else those of the image."""
    return with_spacing(image, np.full(3, np.nan) if pixel is None else vector(image, "pixel", pixel, np.nan) * by)


def sized(image: Image, size: Sequence[float], origin: Sequence[float] | None, apart: Vector, by: Vector) -> Grid:
    """The grid of so many pixels."""
    sizes = vector(image, "size", size, 1).astype(int).tolist()
    first = np.zeros(3) if origin is None else vector(image, "origin", origin, 0) * by
    return grid(image, first, apart, sizes)


def covering_box(image: Image, low: Vector, high: Vector, apart: Vector) -> Grid:
    """The grid about the middle of a box, as large as to cover it."""
    sizes = [counted((b - a) / by, ceil) for a, b, by in zip(low, high, apart, strict=True)]
    return grid(image, (low + high) / 2 - (np.array(sizes) - 1) / 2 * apart, apart, sizes)


def bent_grid(image: Image, back: Mapping, apart: Vector, *, whole: bool) -> Grid:
    """The grid that covers where the outside of the image comes to lie, or the image as it was.

    The outside is looked at in 17 places along each axis. Raises BadRequest where the way to one of these is not found.
    """
    level = image.levels[0]
    low, high = edges(image.axes, level)
    if not whole:
        is_same = np.array_equal(apart, spacing_of(image, None, low))
        return same_grid(image) if is_same else covering_box(image, low, high, apart)
    try:
        ends = _landing(back, tuple(low.tolist()), tuple(high.tolist()))
    except Unsupported as error:
        raise BadRequest(
            f"where the image comes to lie is not known, as {error}: give domain=same or a size"
        ) from error
    return covering_box(image, np.array(ends[0]), np.array(ends[1]), apart)


@lru_cache(maxsize=256)
def _landing(back: Mapping, low: Ends, high: Ends) -> tuple[Ends, Ends]:
    """The lowest and highest positions that the outside of a box comes from; a tile need not look for them again."""
    there = back.inverted()(_outside(np.array(low), np.array(high)))
    return tuple(there.min(axis=0).tolist()), tuple(there.max(axis=0).tolist())


def _outside(low: Vector, high: Vector) -> Positions:
    """Places all over the faces of a box, or the sides of a rectangle."""
    lines = [np.linspace(a, b, STEPS + 1) if b > a else np.array([a]) for a, b in zip(low, high, strict=True)]
    inside = [range(1, len(line) - 1) for line in lines if len(line) > 1]
    lattice = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
    is_outside = np.ones([len(line) for line in lines if len(line) > 1], bool)
    is_outside[np.ix_(*inside)] = False
    return np.asarray(lattice[is_outside.reshape(lattice.shape[:3])])
