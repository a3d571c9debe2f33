"""Where the pixels of levels lie in the physical space of their image, as matrices."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.mapping import Box, Mapping

SPATIAL = "xyz"
"""The order of positions."""

SLACK = 1e-6
"""Rounding errors of positions, in pixels."""


def spatial(image: Image) -> str:
    """The names of the spatial axes in the order of positions: xyz or xy."""
    return "".join(name for name in SPATIAL if name in image.axis_names)


def values(axes: tuple[Axis, ...], along: tuple[float, ...], missing: float) -> NDArray[np.float64]:
    """What is given per axis, along x, y and z, with a value for those that are missing."""
    given = {axis.name: value for axis, value in zip(axes, along, strict=True)}
    return np.array([given.get(name, missing) for name in SPATIAL], np.float64)


def pixel_matrix(axes: tuple[Axis, ...], level: Level) -> NDArray[np.float64]:
    """From indices (x, y, z, 1) to positions; an index along an axis that is missing is the position."""
    matrix = np.diag([*values(axes, level.scale, 1.0), 1.0])
    matrix[:3, 3] = values(axes, level.translation, 0.0)
    return matrix


def edges(axes: tuple[Axis, ...], level: Level) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest and highest positions along x, y and z that lie in a pixel; 0 along an axis that is missing."""
    scale, first = values(axes, level.scale, 0.0), values(axes, level.translation, 0.0)
    low = first - scale / 2
    return low, low + scale * values(axes, level.shape, 1.0)


def corners(axes: tuple[Axis, ...], level: Level) -> NDArray[np.float64]:
    """The eight corners of a level, of shape (8, 3); of a plane each comes twice."""
    low, high = edges(axes, level)
    return np.array(list(product(*zip(low, high, strict=True))), np.float64)


def extent(axes: tuple[Axis, ...], level: Level) -> Box:
    """All the positions that lie in a pixel of a level, whatever they are along an axis that is missing."""
    low, high = edges(axes, level)
    slack = values(axes, level.scale, np.inf) * SLACK
    lows, highs = (low - slack).tolist(), (high + slack).tolist()
    return Box((lows[0], lows[1], lows[2]), (highs[0], highs[1], highs[2]))


def contains(box: Box, positions: NDArray[np.float64]) -> bool:
    """Whether all the positions lie in a box."""
    return bool(np.all((positions >= box.low) & (positions <= box.high)))


def holds(image: Image, source: Image, mapping: Mapping) -> bool:
    """Whether an image, whose positions are mapped to a source's, surely has a place for all the source's pixels."""
    if not mapping.is_linear or len(mapping.steps) > 1:
        return False
    there = mapping.inverted()(corners(source.axes, source.levels[0]))
    return contains(extent(image.axes, image.levels[0]), there)
