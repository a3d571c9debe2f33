"""Smoothing with a Gaussian whose width is a physical length."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.operation import Operation, Parameters, mapped, with_halo
from diascope.operations.smoothing import lengths, refuse_unsmoothed, smoothing, working_type
from diascope.operations.values import OptionalUnit


class Gaussian(Parameters):
    sigma: float = Field(
        gt=0,
        description=(
            "The standard deviation, a length, and the same at every level. The kernel ends at 4 sigma; beyond the "
            "image's edge its last pixel is repeated. At most 100 pixels of level 0, and about 32 in volumes."
        ),
    )
    unit: OptionalUnit = Field(
        None, description="Of sigma; by default um, or pixels of level 0 along axes whose unit is not known."
    )
    axes: Literal["yx", "zyx"] = Field("yx", description="In each plane, or through the planes too.")


def gaussian(image: Image, parameters: Gaussian) -> Image:
    """The smoothed image, of the same type: integers are rounded, halves to even."""
    refuse_unsmoothed(image)
    sigmas = lengths(image, parameters.axes, ("sigma", parameters.sigma), parameters.unit)

    def smoothed(level: Level) -> Level:
        smooth = smoothing(image, level, sigmas)

        def function(pixels: Pixels) -> Pixels:
            with np.errstate(invalid="ignore", over="ignore"):
                values = smooth(pixels.astype(working_type(level.dtype)))
            if level.dtype.kind in "iu":
                np.rint(values, out=values)
            return values.astype(level.dtype, copy=False)

        return with_halo(level, smooth.halo, function) if smooth.kernels else level

    return mapped(image, smoothed)


operation = Operation(
    name="gaussian",
    title="Gaussian smoothing",
    parameters=Gaussian,
    apply=gaussian,
    examples=("gaussian,sigma=0.6", "gaussian,sigma=1.5,unit=um,axes=zyx"),
)
