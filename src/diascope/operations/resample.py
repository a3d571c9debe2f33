"""An image with other distances of pixels."""

from __future__ import annotations

from math import nan

import numpy as np
from pydantic import Field, model_validator

from diascope.errors import BadRequest
from diascope.image.image import Image, Interpolation
from diascope.image.mapping import IDENTITY
from diascope.image.space import edges, spatial
from diascope.operations.grids import INTERPOLATION, counted, grid, regridded, with_spacing
from diascope.operations.lengths import LARGEST, SMALLEST, in_axes, unit_of
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import place
from diascope.operations.values import OptionalUnit


class Resample(Parameters):
    pixel: float | None = Field(
        None, ge=SMALLEST, le=LARGEST, description="The distance of pixels along all the spatial axes."
    )
    x: float | None = Field(
        None, ge=SMALLEST, le=LARGEST, description="The distance along x, whatever it is along others."
    )
    y: float | None = Field(None, ge=SMALLEST, le=LARGEST, description="The distance along y.")
    z: float | None = Field(None, ge=SMALLEST, le=LARGEST, description="The distance along z.")
    unit: OptionalUnit = Field(
        None, description="Of the distances; by default um, or the axes' own where none is known."
    )
    interpolation: Interpolation = Field("linear", description=INTERPOLATION)

    @model_validator(mode="after")
    def something(self) -> Resample:
        if self.pixel is None and self.x is None and self.y is None and self.z is None:
            raise ValueError("give pixel, x, y or z")
        return self


def resample(image: Image, parameters: Resample) -> Image:
    """The same picture with these distances of pixels, and those of level 0 along axes for which none is given.

    It reaches from edge to edge of the image, to half a pixel. Pixels are those of the source's level that fits: no
    coarser than the result, and less than twice as fine.
    """
    by = in_axes(image, unit_of(image, parameters.unit))
    given = {name: getattr(parameters, name) for name in "xyz"}
    for name, value in given.items():
        if value is not None:
            place(image, name)
    wanted = [given[name] or (parameters.pixel if name in spatial(image) else None) for name in "xyz"]
    lengths = [nan if value is None else value * float(factor) for value, factor in zip(wanted, by, strict=True)]
    apart = with_spacing(image, np.array(lengths))
    if not np.isfinite(apart).all():
        raise BadRequest("the distances of pixels are too large")
    low, high = edges(image.axes, image.levels[0])
    sizes = [counted((b - a) / distance, round) for a, b, distance in zip(low, high, apart, strict=True)]
    return regridded(image, IDENTITY, grid(image, low + apart / 2, apart, sizes), parameters.interpolation)


operation = Operation(
    name="resample",
    title="Other distances of pixels",
    parameters=Resample,
    apply=resample,
    examples=(
        "resample,pixel=0.7",
        "resample,x=0.4,y=1.3,z=1.1,interpolation=cubic",
        "resample,pixel=0.0009,unit=mm,interpolation=nearest",
    ),
)
