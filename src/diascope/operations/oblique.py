"""A plane, or a slab of parallel planes, cut out of a volume at any angle."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from diascope.errors import BadRequest, Unsupported
from diascope.image.affine import affine
from diascope.image.axes import Axis
from diascope.image.image import Image, Interpolation
from diascope.image.mapping import mapping
from diascope.image.resampling import through
from diascope.image.space import corners, edges
from diascope.image.units import named
from diascope.operations.grids import INTERPOLATION, counted, grid, with_spacing
from diascope.operations.lengths import LARGEST, SMALLEST, Vector, in_axes, unit_of
from diascope.operations.operation import Operation, Parameters
from diascope.operations.values import OptionalNumbers, OptionalUnit

PARALLEL = 1e-6
"""The sine of an angle between directions that count as the same."""


class Oblique(Parameters):
    normal: OptionalNumbers = Field(
        None, description="The direction x+y+z in which the planes follow each other; its length does not matter."
    )
    right: OptionalNumbers = Field(
        None,
        description=(
            "The direction x+y+z of the rows, to the right. By default that of the x axis as it is seen in the plane, "
            "or of the y axis where the normal points along x."
        ),
    )
    down: OptionalNumbers = Field(
        None, description="Instead of a normal, with `right`: the direction x+y+z of the columns, downwards."
    )
    origin: OptionalNumbers = Field(
        None, description="The position x+y+z in the volume of the middle of the result; by default the volume's own."
    )
    size: OptionalNumbers = Field(
        None, description="Width+height of the planes, lengths; by default all that the volume takes up."
    )
    pixel: float | None = Field(
        None,
        ge=SMALLEST,
        le=LARGEST,
        description="The distance of pixels and of planes; by default the smallest of the volume's.",
    )
    planes: int = Field(1, ge=1, le=100_000, description="How many planes, one pixel apart, half of them on each side.")
    unit: OptionalUnit = Field(None, description="Of lengths and positions; by default um, or the axes' own.")
    interpolation: Interpolation = Field("linear", description=INTERPOLATION)

    @model_validator(mode="after")
    def fits(self) -> Oblique:
        if (self.normal is None) == (self.down is None) or (self.down is not None and self.right is None):
            raise ValueError("give a normal, or right and down")
        for name in ("normal", "right", "down", "origin"):
            given = getattr(self, name)
            if given is not None and (len(given) != 3 or any(abs(number) > LARGEST for number in given)):
                raise ValueError(f"{name} is three numbers x+y+z")
        if self.size is not None and (len(self.size) != 2 or not all(SMALLEST <= by <= LARGEST for by in self.size)):
            raise ValueError("size is two lengths, width+height")
        return self


class Frame(NamedTuple):
    """Directions at right angles, of length one, in a space in which all axes have the same unit."""

    right: Vector
    down: Vector
    normal: Vector


def oblique(image: Image, parameters: Oblique) -> Image:
    """The planes as a volume, whose positions are lengths from its middle; outside the image it is 0.

    It is interpolated as that of `affine` is. Everything keeps its place in the world. `select,axis=z,index=0` makes an
    image without planes of it.
    """
    if "z" not in image.axis_names:
        raise Unsupported("the image is a plane already; rotate turns it")
    unit = unit_of(image, parameters.unit)
    by = in_axes(image, unit)
    frame = _frame(parameters)
    low, high = edges(image.axes, image.levels[0])
    middle = (low + high) / 2 / by if parameters.origin is None else np.array(parameters.origin)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack(frame)
    matrix[:3, 3] = middle
    pixel = parameters.pixel or float((with_spacing(image, np.full(3, np.nan)) / by).min())
    width, height = parameters.size or _widest(image, matrix, by)
    sizes = [counted(width / pixel, round), counted(height / pixel, round), parameters.planes]
    first = -(np.array(sizes) - 1) / 2 * pixel
    back = np.diag([*by, 1.0]) @ matrix
    return through(
        image,
        mapping(back),
        grid(image, first, np.full(3, pixel), sizes),
        parameters.interpolation,
        axes=tuple(Axis(axis.name, named(unit)) if axis.type == "space" else axis for axis in image.axes),
        world=image.world and affine(image.world.array @ back, image.world.space),
    )


def _frame(parameters: Oblique) -> Frame:
    if parameters.down is not None and parameters.right is not None:
        right = _unit(np.array(parameters.right), "right")
        down = _across(np.array(parameters.down), right, "down")
        return Frame(right, down, np.cross(right, down))
    normal = _unit(np.array(parameters.normal), "normal")
    usual = np.eye(3)[0 if np.linalg.norm(np.cross(normal, np.eye(3)[0])) > PARALLEL else 1]
    right = _across(usual if parameters.right is None else np.array(parameters.right), normal, "right")
    return Frame(right, np.cross(normal, right), normal)


def _unit(direction: Vector, name: str) -> Vector:
    length = float(np.linalg.norm(direction))
    if not length > 0:
        raise BadRequest(f"{name} is no direction: all its numbers are 0")
    return np.asarray(direction / length)


def _across(direction: Vector, other: Vector, name: str) -> Vector:
    """The part of a direction at right angles to another one."""
    direction = _unit(direction, name)
    rest = direction - (direction @ other) * other
    if np.linalg.norm(rest) <= PARALLEL:
        raise BadRequest(f"{name} points along another of the directions, so that they make no plane")
    return _unit(rest, name)


def _widest(image: Image, matrix: NDArray[np.float64], by: Vector) -> tuple[float, float]:
    """Width and height about the middle of all that the volume takes up, seen along the normal."""
    seen = (corners(image.axes, image.levels[0]) / by - matrix[:3, 3]) @ matrix[:3, :2]
    width, height = 2 * np.abs(seen).max(axis=0)
    return float(width), float(height)


operation = Operation(
    name="oblique",
    title="A plane at any angle out of a volume",
    parameters=Oblique,
    apply=oblique,
    examples=(
        "oblique,normal=1+1+1",
        "oblique,right=1+0.2+0,down=0+0.3+1,origin=6+11+5,size=9+7,pixel=0.6,planes=3,interpolation=cubic",
        "oblique,normal=0+1+0,pixel=0.0005,unit=mm,interpolation=nearest",
    ),
)
