"""The largest and the smallest of all pixels within a radius."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diascope.image.level import Pixels
from diascope.operations.ball import Ball


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
