"""What stands out of its surroundings: the image without its background, as by a rolling ball."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.ball import Ball, Within, ball, balls, local
from diascope.operations.differences import of_differences
from diascope.operations.extreme import largest, smallest
from diascope.operations.looks import refuse_unordered
from diascope.operations.opacity import colours_of
from diascope.operations.operation import Operation
from diascope.operations.smoothing import inner


class Tophat(Within):
    method: Literal["white", "black"] = Field(
        "white",
        description=(
            "`white` takes off the background, which is what `morphology` opens: bright parts that the disk does not "
            "fit into stay. `black` gives how much darker than what it closes the dark ones are."
        ),
    )


def tophat(image: Image, parameters: Tophat) -> Image:
    """How far each pixel lies above its background, or below it: never below 0, of the same type.

    Of signed integers that differ by more than their type holds, it is the largest of the type. NaN stays NaN. At
    coarse levels the radius is at least a pixel, since else nothing would be left. Of rgb each colour is taken by
    itself, opacity being kept.
    """
    refuse_unordered(image)
    neighbours = balls(image, parameters)
    alone = ball((1.0,) * len(parameters.axes))

    def filtered(level: Level) -> Level:
        near = neighbours(level)
        near = near if near.count > 1 else alone
        reach = [2 * by for by in near.reach]
        made = local(level, reach, parameters.axes, lambda pixels: _standing_out(pixels, near, parameters.method))
        return colours_of(image, level, made)

    return of_differences(image, filtered)


def _standing_out(pixels: Pixels, near: Ball, method: str) -> Pixels:
    middle = inner(pixels, (0, *(2 * by for by in near.reach)))
    if method == "white":
        return difference(middle, largest(smallest(pixels, near), near))
    return difference(smallest(largest(pixels, near), near), middle)


def difference(high: Pixels, low: Pixels) -> Pixels:
    """How much higher each value is than one that is not above it, within their type."""
    dtype = high.dtype
    if dtype.kind == "b":
        return np.asarray(high ^ low)
    if dtype.kind != "i":
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(high - low)
    unsigned = f"u{dtype.itemsize}"
    apart = high.view(unsigned) - low.view(unsigned)
    return np.asarray(np.minimum(apart, np.iinfo(dtype).max).astype(dtype))


operation = Operation(
    name="tophat",
    title="Background taken off",
    parameters=Tophat,
    apply=tophat,
    examples=("tophat,radius=3", "tophat,radius=2,axes=zyx,method=black"),
)
