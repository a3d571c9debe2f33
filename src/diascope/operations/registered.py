"""Transformations of registration programs, brought into the positions of an image.

Each convention has a frame, a matrix from positions to the numbers that its transformations are about; T between the
numbers of two images is ``inverse(frame of the image) @ T @ frame of the result`` between their positions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diascope.errors import BadRequest
from diascope.image.image import Image
from diascope.image.mapping import linear
from diascope.image.space import spatial, values
from diascope.image.units import named, ratio
from diascope.operations.lengths import in_axes
from diascope.operations.transform_file import FixedGrid, Found, Matrix

FLIPPED = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Between the world of NIfTI, right anterior superior, and that of ITK, left posterior superior."""

TILT = 1e-6
"""How far a plane may be tilted out of itself, compared with its lengths."""


class Where(NamedTuple):
    """What is known of the positions of an image or of a result."""

    world: Matrix | None
    """To millimetres, right anterior superior."""
    first: Matrix
    """The position of the first pixel's centre."""
    span: Matrix
    """From there to the last one's."""


class Registered(NamedTuple):
    """A transformation between positions in the units of the axes."""

    back: Matrix
    """From the result to the image."""
    world: Matrix | None
    """Of the result's positions, in millimetres."""
    grid: tuple[tuple[float, ...], Matrix, Matrix] | None = None
    """Size, origin and spacing of the grid that comes with it."""


def where(image: Image, world: Matrix | None) -> Where:
    level = image.levels[0]
    span = values(image.axes, level.scale, 0.0) * (values(image.axes, level.shape, 1.0) - 1)
    return Where(world, values(image.axes, level.translation, 0.0), span)


def registered(image: Image, found: Found, result: Where | None, unit: str | None) -> Registered:
    """The transformation to a result that lies there; None is what the file says, or where the image lies.

    Raises BadRequest where the image is not one that such a transformation moves.
    """
    own = image.world.array if image.world else None
    unit = unit_of(image, found, unit)
    by = in_axes(image, unit)
    there = result or where(image, own)
    before, after = _frame(found, where(image, own), by, unit), _frame(found, there, by, unit)
    world, grid = there.world, None
    if found.grid is not None and result is None:
        if len(found.grid.size) != len(spatial(image)):
            raise BadRequest("the transformation's grid has another number of dimensions than the image")
        after, world, origin = _of_grid(found.grid, by, unit, has_world=own is not None)
        spacing = np.ones(3)
        spacing[: len(found.grid.size)] = found.grid.spacing
        grid = (tuple(found.grid.size.tolist()), origin * by, spacing * by)
    matrix = _in_space(found.matrix)
    back = matrix if found.backwards else linear(matrix).inverted().array
    moved = linear(before).inverted().array @ back @ after
    if "z" not in image.axis_names or len(found.matrix) == 3:
        _check_plane(moved, found)
    return Registered(moved, world, grid)


def unit_of(image: Image, found: Found, unit: str | None) -> str | None:
    """The unit of a file's lengths: the file's, or the one given, or millimetres in a world, or the axes' own."""
    if found.unit or unit or found.convention in {"positions", "fsl"}:
        return found.unit or unit
    return "mm" if all(axis.unit for axis in image.axes if axis.type == "space") else None


def _frame(found: Found, place: Where, by: Matrix, unit: str | None) -> Matrix:
    """From positions in the units of the axes to the numbers of a convention."""
    scaled = np.diag([*(1 / by), 1.0])
    if found.convention == "fsl":
        return _flirt(place, scaled)
    if place.world is None or found.convention == "positions":
        return scaled
    turned = FLIPPED if found.convention == "lps" else np.eye(4)
    return np.asarray(_millimetres(unit) @ turned @ place.world)


def _flirt(place: Where, scaled: Matrix) -> Matrix:
    """From the first pixel on; where the world is right-handed x runs from the last one."""
    matrix = np.eye(4)
    matrix[:3, 3] = -place.first
    if place.world is not None and np.linalg.det(place.world[:3, :3]) > 0:
        matrix[0, 0], matrix[0, 3] = -1.0, place.first[0] + place.span[0]
    return np.asarray(scaled @ matrix)


def _of_grid(grid: FixedGrid, by: Matrix, unit: str | None, *, has_world: bool) -> tuple[Matrix, Matrix | None, Matrix]:
    """Frame, world and origin of the grid of a file, whose positions are turned as the file turns it."""
    rank = len(grid.size)
    placed = np.eye(4)
    placed[:rank, :rank], placed[:rank, 3] = grid.direction, grid.origin
    origin = np.zeros(3)
    if not has_world and np.array_equal(grid.direction, np.eye(rank)):
        origin[:rank], placed = grid.origin, np.eye(4)
    after = placed @ np.diag([*(1 / by), 1.0])
    world = linear(_millimetres(unit)).inverted().array @ FLIPPED @ after if has_world else None
    return after, world, origin


def _millimetres(unit: str | None) -> Matrix:
    """From millimetres to a unit, itself millimetres where none is given."""
    name = named(unit)
    return np.diag([*[1.0 if name is None else ratio("millimeter", name)] * 3, 1.0])


def _in_space(matrix: Matrix) -> Matrix:
    if len(matrix) == 4:
        return matrix
    whole = np.eye(4)
    whole[np.ix_([0, 1, 3], [0, 1, 3])] = matrix
    return whole


def _check_plane(moved: Matrix, found: Found) -> None:
    """That planes stay where they are."""
    if len(found.matrix) == 4:
        raise BadRequest("the transformation moves volumes, and the image is a plane")
    across = np.abs(moved[:2, 2]).max() + np.abs(moved[2, :2]).max() + abs(moved[2, 2] - 1) + abs(moved[2, 3])
    if across > TILT * (1 + np.abs(moved[:2, :2]).max()):
        raise BadRequest("the image lies tilted in its world: a transformation in the plane is not of its plane")
