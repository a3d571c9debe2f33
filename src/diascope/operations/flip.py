"""An image mirrored along axes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from diascope.image.image import Image
from diascope.operations.operation import Operation, Parameters
from diascope.operations.turning import reversed_along


class Flip(Parameters):
    axes: Literal["x", "y", "z", "yx", "zx", "zy", "zyx"] = Field(
        description="The axes along which the last becomes the first."
    )


def flip(image: Image, parameters: Flip) -> Image:
    """The image mirrored about its middle; pixels are the stored ones. Everything keeps its place in the world."""
    return reversed_along(image, parameters.axes)


operation = Operation(
    name="flip",
    title="Mirror image",
    parameters=Flip,
    apply=flip,
    examples=("flip,axes=x", "flip,axes=y", "flip,axes=zyx"),
)
