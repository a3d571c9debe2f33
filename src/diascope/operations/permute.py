"""An image whose spatial axes change places."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from diascope.image.image import Image
from diascope.operations.operation import Operation, Parameters
from diascope.operations.turning import exchanged


class Permute(Parameters):
    axes: Literal["xy", "zxy", "yzx", "yxz", "xzy", "xyz"] = Field(
        description=(
            "The axes of the image that become z, y and x, or y and x of a plane: `yzx` makes coronal planes of axial "
            "ones (planes along y, rows along z), `xzy` sagittal ones, and `xy` exchanges rows and columns."
        )
    )


def permute(image: Image, parameters: Permute) -> Image:
    """The image cut along another axis; pixels are the stored ones, with their distances and units.

    An image's axes are always called t, c, z, y and x in this order, so that it is their contents which change places.
    Everything keeps its place in the world.
    """
    return exchanged(image, parameters.axes)


operation = Operation(
    name="permute",
    title="Spatial axes exchanged",
    parameters=Permute,
    apply=permute,
    examples=("permute,axes=xy", "permute,axes=yzx", "permute,axes=xzy"),
)
