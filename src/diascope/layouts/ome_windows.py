"""The windows of intensities that OME-Zarr wants of every channel, found out where a file tells none."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, TypeAlias

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.region import Region
from diascope.operations.contrast import limits
from diascope.operations.planes import taken

Window: TypeAlias = tuple[float, float]

CHEAP = 1 << 26
"""Of an image with more pixels at a time only the middle is looked at: its coarse levels may have to be made."""
MIDDLE = 512
"""Rows and columns."""


def full_window(dtype: np.dtype[Any]) -> Window | None:
    """The least and the greatest value of an integer type, None of other types."""
    if dtype.kind == "b":
        return 0.0, 1.0
    return (float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)) if dtype.kind in "iu" else None


def known(image: Image) -> bool:
    """Whether the windows are known without reading pixels."""
    return image.kind != "intensity" or image.dtype.itemsize == 1 or _told(image)


def _told(image: Image) -> bool:
    return bool(image.channels) and all(channel.window for channel in image.channels)


def windows(image: Image) -> tuple[Window, ...]:
    """Of each channel its own, the whole range of colours and bytes, else what its pixels at first sight lie between.

    Reads a bounded number of pixels however large the image is.
    """
    told = [channel.window for channel in image.channels] or [None] * image.size("c")
    full = full_window(image.dtype) or (0.0, 1.0)
    if image.kind == "rgb" or image.dtype.itemsize == 1:
        return tuple(window or full for window in told)
    return tuple(window or _seen(image, number) for number, window in enumerate(told))


def _seen(image: Image, number: int) -> Window:
    shown = {"t": 0, "c": number, "z": image.size("z") // 2}
    cheap = prod(image.size(axis) for axis in "czyx") <= CHEAP
    for axis in image.axis_names[:-2]:
        image = taken(image, axis, shown[axis])
    return limits(image if cheap else replace(image, levels=(_middle(image.levels[0]),)))


def _middle(level: Level) -> Level:
    """The middle of a plane as a level of its own."""
    start = tuple(max(0, (size - MIDDLE) // 2) for size in level.shape)
    shape = tuple(min(size, MIDDLE) for size in level.shape)

    def read_pixels(region: Region) -> Any:
        return level.read(region.shifted(tuple(-at for at in start)))

    return replace(level, shape=shape, chunk_shape=shape, read_pixels=read_pixels)
