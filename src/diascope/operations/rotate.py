"""An image turned by an angle."""

from __future__ import annotations

from math import cos, radians, sin
from typing import Literal

import numpy as np
from pydantic import Field

from diascope.image.image import Image, Interpolation
from diascope.image.mapping import mapping
from diascope.image.space import edges
from diascope.operations.grids import INTERPOLATION, covering, regridded, same_grid, with_spacing
from diascope.operations.lengths import in_axes, unit_of, vector
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import place
from diascope.operations.values import OptionalNumbers, OptionalUnit

PLANES = {"yx": ("x", "y"), "zx": ("x", "z"), "zy": ("y", "z")}
"""The two axes of a plane, the first being turned towards the second."""


class Rotate(Parameters):
    angle: float = Field(
        ge=-360,
        le=360,
        description=(
            "Degrees, from the x axis towards the y axis: clockwise on a screen, where y points down. In the plane zx "
            "it is from x towards z, in zy from y towards z."
        ),
    )
    plane: Literal["yx", "zx", "zy"] = Field("yx", description="The plane that is turned in.")
    centre: OptionalNumbers = Field(
        None, description="The position that stays, along x+y or x+y+z; by default the middle of the image."
    )
    unit: OptionalUnit = Field(
        None, description="Of the centre; by default um, or the axes' own where nothing is known."
    )
    interpolation: Interpolation = Field("linear", description=INTERPOLATION)
    domain: Literal["whole", "same"] = Field(
        "whole", description="All of the turned image, or the grid of the image as it was."
    )


def rotate(image: Image, parameters: Rotate) -> Image:
    """The turned image, everything in it keeping its distances; where nothing comes to lie it is 0.

    It is interpolated as that of `affine` is.
    """
    unit = unit_of(image, parameters.unit)
    by = in_axes(image, unit)
    low, high = edges(image.axes, image.levels[0])
    middle = (low + high) / 2 / by
    centre = middle if parameters.centre is None else vector(image, "centre", parameters.centre, 0.0)
    matrix = np.eye(4)
    matrix[:3, :3] = _turn(image, parameters)
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre
    scaled = np.append(by, 1.0)
    forward = np.diag(scaled) @ matrix @ np.diag(1 / scaled)
    apart = with_spacing(image, np.full(3, np.nan))
    finest = same_grid(image) if parameters.domain == "same" else covering(image, forward, apart)
    return regridded(image, mapping(forward).inverted(), finest, parameters.interpolation)


def _turn(image: Image, parameters: Rotate) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Quarters of a turn are exact."""
    quarters = parameters.angle / 90
    if quarters == int(quarters):
        c, s = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
    else:
        c, s = cos(radians(parameters.angle)), sin(radians(parameters.angle))
    first, second = ("xyz".index(name) for name in PLANES[parameters.plane] if place(image, name) >= 0)
    turn = np.eye(3)
    turn[[first, second, first, second], [first, second, second, first]] = c, c, -s, s
    return turn


operation = Operation(
    name="rotate",
    title="Rotation by an angle",
    parameters=Rotate,
    apply=rotate,
    examples=(
        "rotate,angle=30",
        "rotate,angle=-12.5,plane=zx,interpolation=cubic,domain=same",
        "rotate,angle=100,centre=1+2,unit=um,interpolation=nearest",
    ),
)
