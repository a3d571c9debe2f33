"""The windows of intensities that OME-Zarr wants of every channel, found out where a file tells none."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from diascope.image.image import Image
from diascope.operations.contrast import limits
from diascope.operations.planes import taken

Window: TypeAlias = tuple[float, float]


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
    for axis in image.axis_names[:-2]:
        image = taken(image, axis, shown[axis])
    return limits(image)
