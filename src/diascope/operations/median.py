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

DEAR = 320
"""So many bytes of neighbours, in types of more than 16 bits: for more it pays to number all values in order first."""


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
    source = ordinals(pixels)
    if source.itemsize <= 2 or ball.count * source.itemsize <= DEAR:
        return values(_middle_ordinal(source, ball), pixels.dtype)
    known, places = np.unique(source, return_inverse=True)
    return values(known[_middle_ordinal(places.reshape(source.shape).astype(np.uint32), ball)], pixels.dtype)


def _middle_ordinal(source: Pixels, ball: Ball) -> Pixels:
    from diascope.operations.sliding import FEW, median_of_few, median_of_many

    shape = (len(source), *(size - 2 * by for size, by in zip(source.shape[1:], ball.reach, strict=True)))
    found = np.empty(shape, source.dtype)
    rows, reach, highest = np.array(ball.rows), np.array(ball.reach), int(source.max())
    if ball.count > FEW:
        median_of_many(source, rows, reach, ball.count, highest, found)
        return found
    short = source.itemsize == 1 and ball.count < 256
    counts = np.empty(shape[-1], source.dtype if short or source.itemsize > 1 else np.uint16)
    median_of_few(source, rows, reach, ball.count, highest.bit_length(), counts, found)
    return found


operation = Operation(
    name="median",
    title="Median filter",
    parameters=Median,
    apply=median,
    examples=("median,radius=2", "median,radius=0.6", "median,radius=2000,unit=nm,axes=zyx"),
)
