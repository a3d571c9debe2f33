"""An image turned by quarters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from diascope.image.image import Image
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import place
from diascope.operations.turning import exchanged, reversed_along


class Rotate90(Parameters):
    turns: Literal["1", "2", "3"] = Field(
        "1",
        description=(
            "How many quarters, from the x axis towards the y axis: clockwise on a screen, where y points down. In the "
            "plane zx it is from x towards z, in zy from y towards z."
        ),
    )
    plane: Literal["yx", "zx", "zy"] = Field("yx", description="The plane that is turned in.")


def rotate90(image: Image, parameters: Rotate90) -> Image:
    """The turned image; pixels are the stored ones. Everything keeps its place in the world."""
    second, first = parameters.plane
    for name in (first, second):
        place(image, name)
    if parameters.turns == "2":
        return reversed_along(image, parameters.plane)
    swapped = {first: second, second: first}
    order = "".join(swapped.get(axis.name, axis.name) for axis in image.axes if axis.type == "space")
    return reversed_along(exchanged(image, order), first if parameters.turns == "1" else second)


operation = Operation(
    name="rotate90",
    title="Rotation by quarters of a turn",
    parameters=Rotate90,
    apply=rotate90,
    examples=("rotate90", "rotate90,turns=2,plane=zy", "rotate90,turns=3,plane=zx"),
)
