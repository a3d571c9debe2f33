"""The median of the pixels within a radius."""

from __future__ import annotations

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.ball import Ball, Within, balls, local
from diascope.operations.looks import refuse_unordered
from diascope.operations.opacity import colours_of
from diascope.operations.operation import Operation, mapped
from diascope.operations.ordinals import ordinals, values


class Median(Within):
    """A radius."""


def median(image: Image, parameters: Median) -> Image:
    """Each pixel is the middle one of its neighbours and itself in order, NaN being the largest.

    The type stays, and every value is one of the image's. Of an rgb image each colour by itself, opacity being kept.
    """
    refuse_unordered(image)
    neighbours = balls(image, parameters)

    def filtered(level: Level) -> Level:
        ball = neighbours(level)
        if ball.count == 1:
            return level
        return colours_of(image, level, local(level, ball.reach, parameters.axes, lambda pixels: _middle(pixels, ball)))

    return mapped(image, filtered)


def _middle(pixels: Pixels, ball: Ball) -> Pixels:
    """Of pixels along p, z, y and x, without those at the ends that lack neighbours."""
    from diascope.operations.sliding import FEW, median_of_few, median_of_many

    source = ordinals(pixels)
    rows, reach = np.array(ball.rows), np.array(ball.reach)
    shape = (pixels.shape[0], *(size - 2 * by for size, by in zip(pixels.shape[1:], ball.reach, strict=True)))
    found = np.empty(shape, source.dtype)
    if ball.count <= FEW:
        median_of_few(source, rows, reach, ball.count, found)
        return values(found, pixels.dtype)
    if source.itemsize <= 2:
        median_of_many(source, rows, reach, ball.count, int(source.max()), found)
        return values(found, pixels.dtype)
    known, places = np.unique(source, return_inverse=True)
    indices = np.empty(shape, np.uint32)
    median_of_many(places.reshape(source.shape).astype(np.uint32), rows, reach, ball.count, len(known) - 1, indices)
    return values(known[indices], pixels.dtype)


operation = Operation(
    name="median",
    title="Median filter",
    parameters=Median,
    apply=median,
    examples=("median,radius=2", "median,radius=0.6", "median,radius=2000,unit=nm,axes=zyx"),
)
