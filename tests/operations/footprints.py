"""Neighbours as scipy and scikit-image take them."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.image import Image
from diascope.operations.ball import Ball, ball


def footprint(of: Ball) -> Any:
    """1 where a neighbour lies, along z, y and x."""
    found = np.zeros([2 * by + 1 for by in of.reach], np.uint8)
    for z, y, width in of.rows:
        middle = of.reach[2]
        found[of.reach[0] + z, of.reach[1] + y, middle - width : middle + width + 1] = 1
    return found


def about(image: Image, level: int, radius: float, axes: str) -> Any:
    """1 where a pixel of a zyx image's level lies within a radius of the middle one."""
    scale = dict(zip("zyx", image.levels[level].scale, strict=True))
    return footprint(ball([scale[name] / radius for name in axes]))


def repeated(pixels: Any, by: int = 30) -> Any:
    """The pixels of a volume with those at the edges repeated, so that what is behind them is the same for all."""
    return np.pad(pixels, by, mode="edge")


def cut(pixels: Any, by: int = 30) -> Any:
    """What ``repeated`` was given."""
    return pixels[by:-by, by:-by, by:-by]
