"""Another type of pixels, and what becomes of their values in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.operations.curve import Doubles, Rounded, fitted, whole_range
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.pointwise import PointFunction, pointwise


class Cast(Parameters):
    dtype: Literal["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"] = (
        Field(description="The type of the result.")
    )
    how: Literal["clip", "scale", "wrap", "exact"] = Field(
        description=(
            "`clip`: a value that the type cannot hold becomes its nearest end; fractions are rounded, halves to even, "
            "and NaN is 0. `scale`: the whole range of the old type becomes the whole range of the new one, 0 to 1 "
            "being that of floats, and then as clip. `wrap`: integers keep their lowest bits. `exact`: values stay, "
            "and reading one that the type cannot hold is refused."
        )
    )


@dataclass(frozen=True, slots=True)
class Clipped:
    """Values in another type, at its ends where they lie beyond."""

    dtype: np.dtype[Any]

    def __call__(self, pixels: Pixels) -> Pixels:
        """Of each pixel by itself; integers of any length are exact."""
        if self.dtype.kind == "f":
            with np.errstate(all="ignore"):
                return pixels.astype(self.dtype)
        if pixels.dtype.kind == "f":
            return fitted(pixels.astype(np.float64), self.dtype)
        ours, theirs = np.iinfo(pixels.dtype), np.iinfo(self.dtype)
        return np.clip(pixels, max(ours.min, theirs.min), min(ours.max, theirs.max)).astype(self.dtype)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Integers modulo what another type of integers holds."""

    dtype: np.dtype[Any]

    def __call__(self, pixels: Pixels) -> Pixels:
        return pixels.astype(self.dtype)


@dataclass(frozen=True, slots=True)
class Scaled:
    """A line that takes one range to another."""

    start: tuple[float, float]
    stop: tuple[float, float]

    def __call__(self, values: Doubles) -> Doubles:
        (low, high), (bottom, top) = self.start, self.stop
        return np.asarray((values - low) * (top - bottom) / (high - low) + bottom)


def cast(image: Image, parameters: Cast) -> Image:
    """The image in another type of pixels; of labels and masks only without changing a value."""
    dtype, how = np.dtype(parameters.dtype), parameters.how
    _refuse(image, dtype, how)
    if how == "exact":
        return mapped(image, lambda level: _exact(level, dtype))
    if how == "scale":
        line = Scaled(whole_range(image.dtype), whole_range(dtype))
        return _changed(image, dtype, Rounded(line, dtype), line)
    if how == "clip":
        return _changed(image, dtype, Clipped(dtype))
    return _wrapped(image, dtype)


def _refuse(image: Image, dtype: np.dtype[Any], how: str) -> None:
    if image.dtype.kind == "c":
        raise Unsupported("a complex number has no value in another type; window makes bytes of its magnitude")
    if image.kind == "labels" and (how != "exact" or dtype.kind == "f"):
        raise Unsupported("labels are names, which another value would change: cast them to integers with how=exact")
    if image.dtype.kind == "b" and how != "exact":
        raise Unsupported("a mask is 0 and 1 in any type: cast it with how=exact")
    if how == "wrap" and "f" in {image.dtype.kind, dtype.kind}:
        raise Unsupported("only integers have lowest bits to keep: cast from and to floats with how=clip or how=scale")


def _changed(image: Image, dtype: np.dtype[Any], function: PointFunction, line: Scaled | None = None) -> Image:
    metadata = replace(image.metadata, rescale=None, palette=()) if line else image.metadata
    channels = tuple(_scaled(channel, line) for channel in image.channels) if line else image.channels
    return mapped(image, lambda level: pointwise(level, dtype, function), channels=channels, metadata=metadata)


def _wrapped(image: Image, dtype: np.dtype[Any]) -> Image:
    """What was said of values does not hold where they may have become others."""
    made = _changed(image, dtype, Wrapped(dtype))
    if np.can_cast(image.dtype, dtype):
        return made
    channels = tuple(replace(channel, window=None) for channel in image.channels)
    return replace(made, channels=channels, metadata=replace(image.metadata, rescale=None, palette=()))


def _scaled(channel: Channel, line: Scaled) -> Channel:
    if channel.window is None:
        return channel
    low, high = line(np.array(channel.window, np.float64)).tolist()
    return replace(channel, window=(low, high))


def _exact(level: Level, dtype: np.dtype[Any]) -> Level:
    if np.can_cast(level.dtype, dtype):
        return pointwise(level, dtype, Wrapped(dtype))

    def read_pixels(region: Region) -> Pixels:
        pixels = level.read(region)
        with np.errstate(all="ignore"):
            made = pixels.astype(dtype)
            back = made.astype(pixels.dtype)
        same = (back == pixels) & ((made < 0) == (pixels < 0))
        if pixels.dtype.kind == dtype.kind == "f":
            same |= np.isnan(pixels)
        if not same.all():
            value = pixels[~same].flat[0]
            raise Unsupported(f"the pixel value {value} has no place in {dtype}; how=clip or how=scale changes it")
        return made

    return replace(level, dtype=dtype, read_pixels=read_pixels)


operation = Operation(
    name="cast",
    title="Another type of pixels",
    parameters=Cast,
    apply=cast,
    examples=(
        "cast,dtype=uint8,how=scale",
        "cast,dtype=int16,how=clip",
        "cast,dtype=uint16,how=wrap",
        "cast,dtype=float64,how=exact",
    ),
)
