"""What is neither finer nor coarser than two lengths: the difference of two Gaussians."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.differences import of_differences
from diascope.operations.opacity import colours_apart
from diascope.operations.operation import Operation, Parameters, with_halo
from diascope.operations.smoothing import inner, lengths, refuse_unsmoothed, smoothing, working_type
from diascope.operations.values import OptionalUnit


class Dog(Parameters):
    narrow: float = Field(
        gt=0, description="The standard deviation of the narrower Gaussian, a length and the same at every level."
    )
    wide: float = Field(gt=0, description="That of the wider one, whose image is taken off; 1.6 times it is usual.")
    unit: OptionalUnit = Field(
        None, description="Of the two; by default um, or pixels of level 0 along axes whose unit is not known."
    )
    axes: Literal["yx", "zyx"] = Field("yx", description="In each plane, or through the planes too.")

    @model_validator(mode="after")
    def in_order(self) -> Dog:
        if self.narrow >= self.wide:
            raise ValueError("narrow is less than wide")
        return self


def dog(image: Image, parameters: Dog) -> Image:
    """The difference of two images smoothed as by `gaussian`: float32, or float64 where more is needed; also below 0.

    At a coarse level whose pixels are much larger than the two lengths nothing is left, and it is 0. An rgb image
    becomes three channels without opacity.
    """
    refuse_unsmoothed(image)
    unit, axes = parameters.unit, parameters.axes
    narrow = lengths(image, axes, ("narrow", parameters.narrow), unit)
    wide = lengths(image, axes, ("wide", parameters.wide), unit)

    def between(level: Level) -> Level:
        fine, coarse = smoothing(image, level, narrow), smoothing(image, level, wide)
        more = tuple(far - near for far, near in zip(coarse.halo, fine.halo, strict=True))
        working = working_type(level.dtype)

        def function(pixels: Pixels) -> Pixels:
            values = pixels.astype(working)
            with np.errstate(invalid="ignore", over="ignore"):
                return np.asarray(fine(inner(values, more)) - coarse(values))

        return with_halo(level, coarse.halo, function, working)

    return of_differences(colours_apart(image), between)


operation = Operation(
    name="dog",
    title="Difference of Gaussians",
    parameters=Dog,
    apply=dog,
    examples=("dog,narrow=0.6,wide=1", "dog,narrow=500,wide=2000,unit=nm,axes=zyx"),
)
