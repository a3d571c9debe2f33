"""Functions of intensities in double precision, and what becomes of their values in a type of pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.metadata import Channel
from diascope.operations.opacity import colours_of
from diascope.operations.operation import mapped
from diascope.operations.pointwise import pointwise

Doubles: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = Callable[[Doubles], Doubles]
"""A frozen record that is called with values in one row, which it may not change."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """The values of a curve as pixels of a type."""

    curve: Curve
    dtype: np.dtype[Any]

    def __call__(self, pixels: Pixels) -> Pixels:
        """Integers are rounded, halves to even, and clipped at the ends of their type; NaN is their 0."""
        with np.errstate(all="ignore"):
            return fitted(self.curve(pixels.astype(np.float64)), self.dtype)


def fitted(values: Doubles, dtype: np.dtype[Any]) -> Pixels:
    """The values in a type: integers rounded, halves to even, and clipped, NaN being 0."""
    with np.errstate(all="ignore"):
        if dtype.kind not in "iu":
            return values.astype(dtype)
        info = np.iinfo(dtype)
        # The largest number of 64 bits is none that a double holds.
        top = float(info.max) if int(float(info.max)) == info.max else float(np.nextafter(float(info.max), 0))
        kept = np.where(np.isnan(values), 0, np.rint(values))
        return np.clip(kept, float(info.min), top).astype(dtype)


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of values that are no integers: single precision for what it holds exactly, else double."""
    short = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if short else np.float64)


def whole_range(dtype: np.dtype[Any]) -> tuple[float, float]:
    """All that an integer can hold; 0 to 1 of other types."""
    if dtype.kind not in "iu":
        return 0.0, 1.0
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)


def refuse_names(image: Image, what: str) -> None:
    """Raise Unsupported where pixels are no intensities that could be mapped."""
    if image.kind == "labels":
        raise Unsupported(f"labels are names, not intensities, and have no {what}; render shows them in colours")
    if image.dtype.kind in "bc":
        raise Unsupported(f"pixels of {image.dtype} have no {what}; window makes bytes of them")


def curved(image: Image, curve: Curve, dtype: np.dtype[Any]) -> Image:
    """The image with each pixel mapped by a curve, and the limits that its channels are shown between.

    Opacity is kept as it is, so that a type that changes is no matter for an image that has it.
    """
    function = Rounded(curve, dtype)
    return mapped(
        image,
        lambda level: colours_of(image, level, pointwise(level, dtype, function)),
        channels=tuple(_moved(channel, curve) for channel in image.channels),
        metadata=replace(image.metadata, rescale=None, palette=()),
    )


def _moved(channel: Channel, curve: Curve) -> Channel:
    """The channel shown between where the curve takes its limits, or nowhere where it keeps them not apart.

    What was black is not where the curve falls: else the picture of an inverted image would be that of the image.
    """
    if channel.window is None:
        return channel
    with np.errstate(all="ignore"):
        ends = curve(np.array(channel.window, np.float64)).tolist()
    if not all(map(isfinite, ends)) or ends[0] == ends[1]:
        return replace(channel, window=None)
    low, high = sorted(ends, reverse=channel.window[0] > channel.window[1])
    return replace(channel, window=(low, high))
