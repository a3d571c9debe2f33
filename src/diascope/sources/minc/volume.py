"""A volume of either version of MINC, and the real values of its pixels.

https://en.wikibooks.org/wiki/MINC/Reference/MINC1-programmers-guide#Pixel_values_and_real_values
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One axis, as the variable of its name tells of it."""

    name: str
    """``xspace``, ``yspace``, ``zspace``, ``time``, ``vector_dimension`` …"""
    step: float = 1.0
    """May be negative."""
    start: float = 0.0
    cosines: tuple[float, float, float] | None = None
    """The direction of the axis in the world; None for that of its name."""
    unit: str = ""
    space: str = ""
    """``native____``, ``talairach_`` …"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """Pixels as they are stored, and what they mean."""

    title: str
    dimensions: tuple[Dimension, ...]
    """Slowest first."""
    shape: Ints
    stored: np.dtype[Any]
    """As ``read`` gives them, in either byte order."""
    chunk_shape: Ints
    read: Callable[[Region], Pixels]
    valid_range: tuple[float, float]
    """Between which the stored values of integers lie; the real ones go from minimum to maximum."""
    minimum: Pixels
    """Along the first axes, of as many as it has."""
    maximum: Pixels
    extra: Mapping[str, Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of real values."""
        return self.stored.newbyteorder("=") if self.stored.kind == "f" else np.dtype(np.float64)

    def real(self, region: Region) -> Pixels:
        """The real values of a region, worked out as nibabel does it, so that they are the same bit for bit."""
        pixels = self.read(region)
        if self.stored.kind == "f":
            return pixels.astype(self.dtype, copy=False)
        low, high = (np.float64(end) for end in self.valid_range)
        scales = self.minimum.ndim
        taken = (*region.slices[:scales], *(None,) * (len(self.shape) - scales))
        minimum, maximum = (each[taken] if scales else each[()] for each in (self.minimum, self.maximum))
        slope = (maximum - minimum) / (high - low)
        inter = minimum - low * slope
        out = np.clip(pixels, low, high).astype(np.float64, copy=False)
        out *= slope
        out += inter
        return out


def checked(volume: Volume) -> Volume:
    """Raises Unreadable where its parts do not fit each other."""
    if volume.stored.kind not in "iuf" or not 2 <= len(volume.shape) <= 5 or min(volume.shape) < 1:
        raise Unreadable(f"an image of {volume.stored} and the shape {volume.shape} cannot be shown")
    if volume.stored.kind == "f":
        return volume
    low, high = volume.valid_range
    limits = np.iinfo(volume.stored)
    if not (isfinite(low) and isfinite(high)) or not limits.min <= low < high <= limits.max:
        raise Unreadable(f"the valid range from {low} to {high} is none of {volume.stored}")
    shape = volume.minimum.shape
    if volume.maximum.shape != shape or volume.shape[: len(shape)] != shape or len(shape) > len(volume.shape) - 2:
        raise Unreadable(
            f"image-min and image-max of the shapes {shape} and {volume.maximum.shape} do not fit the image"
        )
    return volume


def dimension(name: str, told: Mapping[str, Any]) -> Dimension:
    """By the attributes of its variable; raises Unreadable where pixels of space are not equally far apart."""
    if "irregular" in str(told.get("spacing", "")) and name.endswith("space"):
        raise Unreadable(f"the pixels along {name} are not equally far apart, which is not supported")
    step, start = (_number(told.get(key)) for key in ("step", "start"))
    cosines = told.get("direction_cosines")
    values = np.asarray(cosines, np.float64).ravel() if isinstance(cosines, np.ndarray | list | tuple) else np.empty(0)
    return Dimension(
        name=name,
        step=1.0 if step is None or step == 0 else step,
        start=0.0 if start is None else start,
        cosines=(values[0], values[1], values[2]) if values.shape == (3,) and np.isfinite(values).all() else None,
        unit=str(told.get("units", "")),
        space=str(told.get("spacetype", "")),
    )


def _number(value: Any) -> float | None:
    try:
        found = float(np.asarray(value, np.float64).ravel()[0])
    except (TypeError, ValueError, IndexError):
        return None
    return found if isfinite(found) else None
