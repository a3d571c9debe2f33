"""What lossy encodings can be judged on: pictures that they keep nearly as they are."""

from __future__ import annotations

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, read_whole

LEAST_SIDE = 64
"""Smaller levels are all edges."""

STEEPEST = 2.0
"""The mean difference of neighbours, in grey values, up to which a picture is smooth."""


def large_levels(image: Image) -> list[Level]:
    return [level for level in image.levels if min(level.shape[-2:]) >= LEAST_SIDE]


def is_smooth(image: Image) -> bool:
    """Whether every level that is compared is; labels in colours are not."""
    levels = large_levels(image)
    return bool(levels) and all(
        np.abs(np.diff(read_whole(level).astype(float), axis=axis)).mean() < STEEPEST
        for level in levels
        for axis in (-1, -2)
    )
