"""Bright or dark parts, or labels, that grow and shrink."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.ball import Ball, Within, balls, local
from diascope.operations.extreme import largest, smallest
from diascope.operations.nearest import spread
from diascope.operations.opacity import colours_of
from diascope.operations.operation import Operation, mapped

STEPS = {"dilate": "d", "erode": "e", "open": "ed", "close": "de"}
"""Each of them goes as far as the radius."""


class Morphology(Within):
    method: Literal["dilate", "erode", "open", "close"] = Field(
        description=(
            "`dilate` takes the largest pixel within the radius, `erode` the smallest. `open` erodes and then dilates, "
            "so that what is bright and smaller than the disk is gone; `close` dilates and then erodes, so that what "
            "is dark and smaller is."
        ),
    )


def morphology(image: Image, parameters: Morphology) -> Image:
    """The image with its bright parts grown or shrunk; the type stays, and NaN is passed over.

    Labels grow into what is 0 alone and never merge: a pixel gets the nearest label within the radius, of two as near
    the smaller. They shrink where another label or 0 lies within the radius. Of rgb each colour is
    taken by itself, opacity being kept.
    """
    if image.dtype.kind == "c":
        raise Unsupported("complex numbers have no order, so that none is the largest; window makes bytes of them")
    neighbours, labels = balls(image, parameters), image.kind == "labels"
    steps = STEPS[parameters.method]

    def filtered(level: Level) -> Level:
        ball = neighbours(level)
        if ball.count == 1:
            return level
        reach = [len(steps) * by for by in ball.reach]
        return colours_of(
            image, level, local(level, reach, parameters.axes, lambda pixels: _stepped(pixels, ball, steps, labels))
        )

    return mapped(image, filtered)


def _stepped(pixels: Pixels, ball: Ball, steps: str, labels: bool) -> Pixels:
    for step in steps:
        if labels:
            pixels = spread(pixels, ball) if step == "d" else _alone(pixels, ball)
        else:
            pixels = (largest if step == "d" else smallest)(pixels, ball)
    return pixels


def _alone(pixels: Pixels, ball: Ball) -> Pixels:
    """The labels where all within the radius is the same one."""
    highest, lowest = largest(pixels, ball), smallest(pixels, ball)
    return np.where(highest == lowest, highest, pixels.dtype.type(0))


operation = Operation(
    name="morphology",
    title="Dilation, erosion, opening and closing",
    parameters=Morphology,
    apply=morphology,
    examples=(
        "morphology,radius=2,method=dilate",
        "morphology,radius=1.5,axes=zyx,method=erode",
        "morphology,radius=0.6,method=open",
        "morphology,radius=1000,unit=nm,method=close",
    ),
)
