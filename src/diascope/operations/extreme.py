"""The largest and the smallest of all pixels within a radius."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from diascope.image.level import Pixels
from diascope.operations.ball import Ball

OPENCV: dict[Any, Callable[..., Any]] = {np.maximum: cv2.dilate, np.minimum: cv2.erode}

TYPES = {"u1", "u2", "i2", "f4", "f8"}
"""Those of OpenCV's."""

FEW = 150
"""So many neighbours in a plane OpenCV looks at one by one, faster than rows of them are made."""


def largest(pixels: Pixels, ball: Ball) -> Pixels:
    """Of pixels along p, z, y and x, without those at the ends that lack neighbours; NaN is passed over."""
    return _extreme(pixels, ball, np.maximum, -np.inf)


def smallest(pixels: Pixels, ball: Ball) -> Pixels:
    """The same of the smallest."""
    return _extreme(pixels, ball, np.minimum, np.inf)


def _extreme(pixels: Pixels, ball: Ball, pick: Callable[..., Any], lowest: float) -> Pixels:
    if pixels.dtype.kind != "f":
        return _picked(pixels, ball, pick)
    # Which of two zeros of different signs is picked is nobody's promise.
    values, missing = pixels + pixels.dtype.type(0), np.isnan(pixels)
    if not missing.any():
        return _picked(values, ball, pick)
    values[missing] = lowest
    found = _picked(values, ball, pick)
    found[_picked(missing, ball, np.logical_and)] = np.nan
    return found


def _picked(pixels: Pixels, ball: Ball, pick: Callable[..., Any]) -> Pixels:
    """A row of neighbours is two that overlap, as long as a power of two; these are made of two half as long each."""
    if pick in OPENCV and not ball.reach[0] and ball.count <= FEW and pixels.dtype.str[1:] in TYPES:
        return _picked_of_few(pixels, ball, OPENCV[pick])
    rz, ry, rx = ball.reach
    depth, height, width = (size - 2 * reach for size, reach in zip(pixels.shape[1:], ball.reach, strict=True))
    found: Pixels | None = None
    run, length = pixels, 1
    for z, y, reach in sorted(ball.rows, key=lambda row: row[2]):
        while 2 * length <= 2 * reach + 1:
            run, length = pick(run[..., :-length], run[..., length:]), 2 * length
        block = run[:, rz + z : rz + z + depth, ry + y : ry + y + height]
        for start in {rx - reach, rx + reach + 1 - length}:
            part = block[..., start : start + width]
            found = part.copy() if found is None else pick(found, part, out=found)
    assert found is not None  # noqa: S101 - a ball has a row at least
    return found


def _picked_of_few(pixels: Pixels, ball: Ball, pick: Callable[..., Any]) -> Pixels:
    _, ry, rx = ball.reach
    depth, height, width = pixels.shape[1], pixels.shape[2] - 2 * ry, pixels.shape[3] - 2 * rx
    neighbours = np.zeros((2 * ry + 1, 2 * rx + 1), np.uint8)
    for _, y, reach in ball.rows:
        neighbours[ry + y, rx - reach : rx + reach + 1] = 1
    found = np.empty((len(pixels), depth, height, width), pixels.dtype)
    for at in np.ndindex(len(pixels), depth):
        found[at] = pick(pixels[at], neighbours)[ry : ry + height, rx : rx + width]
    return found
