"""The grids on which an image is seen through a map of space: computed from where it comes to lie, or given."""

from __future__ import annotations

from math import ceil, isfinite

import numpy as np
from numpy.typing import NDArray

from diascope.errors import BadRequest, TooLarge
from diascope.image.affine import affine
from diascope.image.image import Image, Interpolation
from diascope.image.mapping import Mapping
from diascope.image.resampled import Grid
from diascope.image.resampling import through
from diascope.image.space import corners, values
from diascope.image.units import ratio
from diascope.operations.lengths import Vector
from diascope.operations.places import SLACK, spacing

LONGEST = 2**31 - 1
"""Pixels along an axis of a result; more than that is a mistake in a matrix."""

INTERPOLATION = (
    "How pixels between pixels are made: the nearest one, linear, or cubic (Keys, which passes through the pixels and "
    "may overshoot). Labels and booleans are always the nearest. Of consecutive coordinate operations the last one's "
    "holds for all."
)


def with_spacing(image: Image, apart: Vector) -> Vector:
    """The distances of pixels along x, y and z, where they are NaN those of level 0."""
    for at, axis in enumerate(image.axes):
        if axis.type == "space":
            spacing(image, image.levels[0], at)
    own = values(image.axes, image.levels[0].scale, 1.0)
    return np.where(np.isnan(apart), own, apart)


def same_grid(image: Image) -> Grid:
    """That of level 0."""
    level = image.levels[0]
    return Grid(level.translation, level.scale, level.shape)


def covering(image: Image, forward: NDArray[np.float64], apart: Vector) -> Grid:
    """The grid about the middle of where the corners of the image come to lie, as large as to cover them."""
    homogeneous = np.column_stack([corners(image.axes, image.levels[0]), np.ones(8)])
    places = (homogeneous @ forward.T)[:, :3]
    low, high = places.min(axis=0), places.max(axis=0)
    sizes = [counted((b - a) / by, ceil) for a, b, by in zip(low, high, apart, strict=True)]
    first = (low + high) / 2 - (np.array(sizes) - 1) / 2 * apart
    return grid(image, first, apart, sizes)


def counted(pixels: float, whole: type[int] | object = ceil) -> int:
    """How many pixels a length makes, at least one; raises TooLarge where that cannot be meant."""
    if not isfinite(pixels) or pixels > LONGEST:
        raise TooLarge(f"the result would have {pixels:.4g} pixels along an axis; the limit is {LONGEST}")
    return max(ceil(pixels - SLACK) if whole is ceil else round(pixels), 1)


def grid(image: Image, first: Vector, apart: Vector, sizes: list[int]) -> Grid:
    """The grid of these along x, y and z, and of level 0 along other axes."""
    level = image.levels[0]
    origin, distance, shape = list(level.translation), list(level.scale), list(level.shape)
    for at, axis in enumerate(image.axes):
        if axis.type == "space":
            k = "xyz".index(axis.name)
            origin[at], distance[at], shape[at] = float(first[k]), float(apart[k]), sizes[k]
            if not (isfinite(origin[at]) and distance[at] > 0 and isfinite(distance[at])):
                raise BadRequest(f"pixels {distance[at]} apart, from {origin[at]} on, cannot be")
    return Grid(tuple(origin), tuple(distance), tuple(shape))


def regridded(
    image: Image, back: Mapping, finest: Grid, interpolation: Interpolation, space: str | None = None
) -> Image:
    """The image on a grid, mapped back; everything in it keeps its place in the world, unless the map bends space.

    With a name the result's physical space is that space itself.
    """
    world = image.world
    if space is not None:
        world = affine(np.diag([*millimetres(image), 1.0]), space)
    elif world is not None:
        world = affine(world.array @ back.matrix, world.space) if back.is_linear else None
    return through(image, back, finest, interpolation, world=world)


def millimetres(image: Image) -> list[float]:
    units = {axis.name: axis.unit for axis in image.axes if axis.type == "space"}
    if not all(units.values()):
        raise BadRequest("a space of the world needs the units of all the spatial axes")
    return [ratio(unit, "millimeter") if (unit := units.get(name)) else 1.0 for name in "xyz"]
