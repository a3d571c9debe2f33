"""An image moved along its axes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from diascope.image.image import Image, Interpolation
from diascope.image.mapping import mapping
from diascope.operations.grids import INTERPOLATION, covering, regridded, same_grid, with_spacing
from diascope.operations.lengths import LARGEST, in_axes, unit_of
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import place
from diascope.operations.values import OptionalUnit


class Translate(Parameters):
    x: float = Field(0.0, description="How far towards larger x.")
    y: float = Field(0.0, description="How far towards larger y, which is downwards on a screen.")
    z: float = Field(0.0, description="How far towards larger z.")
    unit: OptionalUnit = Field(
        None, description="Of the distances; by default um, or the axes' own where none is known."
    )
    interpolation: Interpolation = Field("linear", description=INTERPOLATION)
    domain: Literal["whole", "same"] = Field(
        "whole",
        description=(
            "All of the moved image, whose pixels stay as they are at other positions, or the grid of the image as it "
            "was, through which they move."
        ),
    )

    @model_validator(mode="after")
    def somewhere(self) -> Translate:
        if not (self.x or self.y or self.z):
            raise ValueError("give x, y or z")
        if max(abs(self.x), abs(self.y), abs(self.z)) > LARGEST:
            raise ValueError(f"distances are at most {LARGEST:g}")
        return self


def translate(image: Image, parameters: Translate) -> Image:
    """The moved image; where nothing comes to lie it is 0. It is interpolated as that of `affine` is."""
    if parameters.z:
        place(image, "z")
    forward = np.eye(4)
    forward[:3, 3] = np.array([parameters.x, parameters.y, parameters.z]) * in_axes(
        image, unit_of(image, parameters.unit)
    )
    apart = with_spacing(image, np.full(3, np.nan))
    finest = same_grid(image) if parameters.domain == "same" else covering(image, forward, apart)
    return regridded(image, mapping(forward).inverted(), finest, parameters.interpolation)


operation = Operation(
    name="translate",
    title="Shift along the axes",
    parameters=Translate,
    apply=translate,
    examples=("translate,x=2.1,y=-1", "translate,y=0.0013,z=0.003,unit=mm,interpolation=cubic,domain=same"),
)
