"""Edges made steeper: what a smoothed image lacks, added."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.curve import fitted
from diascope.operations.opacity import colours_of
from diascope.operations.operation import Operation, Parameters, mapped, with_halo
from diascope.operations.smoothing import inner, lengths, refuse_unsmoothed, smoothing, working_type
from diascope.operations.values import OptionalUnit


class Unsharp(Parameters):
    sigma: float = Field(
        gt=0,
        description=(
            "The standard deviation of the Gaussian, a length and the same at every level, often called the radius; "
            "as by `gaussian`."
        ),
    )
    unit: OptionalUnit = Field(
        None, description="Of sigma; by default um, or pixels of level 0 along axes whose unit is not known."
    )
    axes: Literal["yx", "zyx"] = Field("yx", description="In each plane, or through the planes too.")
    amount: float = Field(1, gt=0, le=100, description="How many times the difference is added.")


def unsharp(image: Image, parameters: Unsharp) -> Image:
    """Pixels ``v + amount · (v - smoothed)`` of the same type; integers are rounded, halves to even, and clipped.

    Where a coarse level's pixels are much larger than sigma, it stays as it is. Of rgb each colour is taken by itself,
    opacity being kept.
    """
    refuse_unsmoothed(image)
    sigmas = lengths(image, parameters.axes, ("sigma", parameters.sigma), parameters.unit)

    def sharpened(level: Level) -> Level:
        smooth, amount = smoothing(image, level, sigmas), parameters.amount

        def function(pixels: Pixels) -> Pixels:
            values = pixels.astype(working_type(level.dtype))
            with np.errstate(invalid="ignore", over="ignore"):
                middle = inner(values, smooth.halo)
                return fitted(middle + (middle - smooth(values)) * values.dtype.type(amount), level.dtype)

        return colours_of(image, level, with_halo(level, smooth.halo, function)) if smooth.kernels else level

    return mapped(image, sharpened)


operation = Operation(
    name="unsharp",
    title="Unsharp mask",
    parameters=Unsharp,
    apply=unsharp,
    examples=("unsharp,sigma=0.6", "unsharp,sigma=1500,unit=nm,axes=zyx,amount=2.5"),
)
