"""How steep an image is: the magnitude of the gradient, by Sobel or of a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints
from diascope.operations.differences import of_differences
from diascope.operations.looks import refuse_unordered
from diascope.operations.opacity import colours_apart
from diascope.operations.operation import Operation, Parameters, with_halo
from diascope.operations.places import factor, place, spacing
from diascope.operations.smoothing import (
    NOTHING,
    convolved,
    derived,
    half_kernel,
    half_slope,
    lengths,
    refuse_unsmoothed,
    shifted,
    working_type,
)
from diascope.operations.values import OptionalUnit

SOBEL = np.array([0.5, 0.25])
"""The weights of a pixel and of its neighbour across the direction of a derivative."""


class Gradient(Parameters):
    sigma: float | None = Field(
        None,
        gt=0,
        description=(
            "The standard deviation of a Gaussian whose derivative is taken, a length and the same at every level. "
            "Without one it is Sobel's filter, of 3 pixels along each axis of a level."
        ),
    )
    unit: OptionalUnit = Field(
        None,
        description=(
            "Of sigma, and what the result is per: by default um, or pixels of level 0 along axes whose unit is not "
            "known."
        ),
    )
    axes: Literal["yx", "zyx"] = Field("yx", description="In each plane, or through the planes too.")


@dataclass(frozen=True, slots=True)
class Along:
    """What is done along an axis."""

    at: int
    smooth: Pixels | None
    """Half the kernel that smooths; None where it would be too narrow to be seen."""
    slope: Pixels
    """Half the kernel that derives."""

    @property
    def reach(self) -> int:
        return len(self.slope) - 1

    def smoothed(self, values: Pixels) -> Pixels:
        if self.smooth is None:
            return shifted(values, self.reach, 0, self.at)
        return convolved(values, self.smooth, self.at)


def gradient(image: Image, parameters: Gradient) -> Image:
    """By how much intensity changes per length where it changes most: float32, or float64 where more is needed.

    It is per um, or per the unit given, and so the same slope has the same value at every level. Where a coarse level's
    pixels are larger than sigma, half the difference of the two neighbours is taken. An rgb image becomes three
    channels without opacity.
    """
    refuse_unsmoothed(image)
    refuse_unordered(image)
    sigmas: dict[int, float | None] = dict.fromkeys(place(image, name) for name in parameters.axes)
    if parameters.sigma is not None:
        sigmas = {**lengths(image, parameters.axes, ("sigma", parameters.sigma), parameters.unit)}

    def steep(level: Level) -> Level:
        working = working_type(level.dtype)
        axes = [_along(image, level, at, sigma, parameters.unit) for at, sigma in sigmas.items() if level.shape[at] > 1]
        reach = {axis.at: axis.reach for axis in axes}
        halo: Ints = tuple(reach.get(at, 0) for at in range(len(level.shape)))
        return with_halo(level, halo, lambda pixels: _magnitude(pixels.astype(working), axes), working)

    return of_differences(colours_apart(image), steep)


def _along(image: Image, level: Level, at: int, sigma: float | None, unit: str | None) -> Along:
    working = working_type(level.dtype)
    axis, distance = image.axes[at], spacing(image, level, at)
    known = axis.unit is not None or unit is not None
    apart = distance / (factor(axis, unit or "um") if known else spacing(image, image.levels[0], at))
    if sigma is None:
        return Along(at, SOBEL.astype(working), (half_slope(0) / apart).astype(working))
    width = sigma / distance
    smooth = half_kernel(width).astype(working) if width >= NOTHING else None
    return Along(at, smooth, (half_slope(width) / apart).astype(working))


def _magnitude(values: Pixels, axes: list[Along]) -> Pixels:
    total: Pixels | None = None
    with np.errstate(invalid="ignore", over="ignore"):
        for direction in axes:
            slopes = values
            for axis in axes:
                slopes = derived(slopes, axis.slope, axis.at) if axis is direction else axis.smoothed(slopes)
            slopes *= slopes
            total = slopes if total is None else np.add(total, slopes, out=total)
        return np.zeros_like(values) if total is None else np.sqrt(total, out=total)


operation = Operation(
    name="gradient",
    title="Gradient magnitude",
    parameters=Gradient,
    apply=gradient,
    examples=("gradient", "gradient,sigma=0.7", "gradient,sigma=1500,unit=nm,axes=zyx"),
)
