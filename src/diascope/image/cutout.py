"""A box of an image given in lengths, from the outer edge of its first pixel, or in pixels of the finest level."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil, isfinite
from typing import NamedTuple, TypeAlias

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.region import Region
from diascope.image.resampled import Grid, resampled
from diascope.image.units import named, ratio

Ends: TypeAlias = tuple[float | None, float | None]
"""Where a range starts and stops; None is the edge of the image."""

SPACING = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([a-zµ]{1,20})", re.ASCII | re.IGNORECASE)

PIXELS = "pixels"
"""Stands in the place of a unit for ranges of pixels."""

EXACT = 1e-6
"""Parts of a pixel that are the rounding of a computer, not the wish of a person."""


class Spacing(NamedTuple):
    """A distance of pixels."""

    length: float
    unit: str
    """A UDUNITS-2 name."""


class Positions(NamedTuple):
    """Equally spaced positions along an axis, in its unit."""

    origin: float
    spacing: float
    size: int


def spacing(text: str) -> Spacing:
    """The distance that a text such as ``2 um`` says."""
    found = SPACING.fullmatch(text.strip())
    unit = named(found[2]) if found else None
    if not found or not unit or not float(found[1]):
        raise BadRequest(f"spacing={text!r} is no length such as '2 um'")
    return Spacing(float(found[1]), unit)


def extent(image: Image, axis: int, unit: str) -> float:
    """How long an axis is from edge to edge, in a unit; raises Unsupported where that is not known."""
    return image.shape[axis] * _pixel(image, axis, unit)


def positions(image: Image, axis: int, ends: tuple[float, float], wanted: Spacing) -> Positions:
    """The centres of pixels so far apart along a spatial axis, the first half of one behind the range's start."""
    finest = image.levels[0]
    factor = finest.scale[axis] / _pixel(image, axis, wanted.unit)
    low, high = ends
    edge = finest.translation[axis] - finest.scale[axis] / 2
    size = max(round((high - low) / wanted.length), 1)
    return Positions(edge + (low + wanted.length / 2) * factor, wanted.length * factor, size)


def pixel_positions(image: Image, axis: int, start: int, stop: int) -> Positions:
    """The centres of the finest level's own pixels."""
    finest = image.levels[0]
    return Positions(finest.translation[axis] + start * finest.scale[axis], finest.scale[axis], stop - start)


def grid(axes: list[Positions]) -> Grid:
    """The grid of positions along each axis."""
    return Grid(*(tuple(each) for each in zip(*axes, strict=True)))


def cutout(image: Image, ranges: Mapping[str, Mapping[str, Ends]], at: str | None = None) -> Pixels:
    """The pixels of ranges by unit and axis, ``pixels`` being a unit too; along other axes all.

    Without ``at`` they are the finest level's own, those whose centres lie in the ranges; with it the spatial axes are
    resampled to this distance of pixels, out of the level that fits. Raises BadRequest where a range is empty or leaves
    the image, and Unsupported where the distance of pixels is not known.
    """
    wanted = _by_axis(image, ranges)
    spaced = spacing(at) if at is not None else None
    if spaced is None:
        ends = [_own(image, d, *wanted.get(axis.name, WHOLE)) for d, axis in enumerate(image.axes)]
        return image.levels[0].read(Region(tuple(a for a, _ in ends), tuple(b for _, b in ends)))
    return resampled(image, grid([_along(image, d, wanted, spaced) for d in range(len(image.axes))]))


WHOLE: tuple[Ends, str] = ((None, None), PIXELS)


def _by_axis(image: Image, ranges: Mapping[str, Mapping[str, Ends]]) -> dict[str, tuple[Ends, str]]:
    """The range of each axis that has one, with its unit."""
    found: dict[str, tuple[Ends, str]] = {}
    for text, axes in ranges.items():
        unit = PIXELS if text == PIXELS else named(text)
        if unit is None:
            raise BadRequest(f"{text!r} is no unit such as um, nm, mm, s or pixels")
        for name, ends in axes.items():
            if len(name) != 1 or name not in image.axis_names or name in found:
                raise BadRequest(f"{name!r} is none of the axes {image.axis_names!r}, or comes twice")
            found[name] = (ends, unit)
    return found


def _along(image: Image, axis: int, wanted: Mapping[str, tuple[Ends, str]], spaced: Spacing) -> Positions:
    ends, unit = wanted.get(image.axes[axis].name, WHOLE)
    if image.axes[axis].type != "space":
        return pixel_positions(image, axis, *_own(image, axis, ends, unit))
    pixel = _pixel(image, axis, unit)
    low, high = _within(ends, image.shape[axis] * pixel, image.axes[axis].name)
    to = _pixel(image, axis, spaced.unit) / pixel
    return positions(image, axis, (low * to, high * to), spaced)


def _own(image: Image, axis: int, ends: Ends, unit: str) -> tuple[int, int]:
    """The pixels of the finest level whose centres lie in a range."""
    pixel = _pixel(image, axis, unit)
    low, high = _within(ends, image.shape[axis] * pixel, image.axes[axis].name)
    start, stop = (ceil(end / pixel - 0.5 - EXACT) for end in (low, high))
    if start >= stop:
        raise BadRequest(f"no pixel of the axis {image.axes[axis].name} has its centre from {low:g} to {high:g}")
    return start, stop


def _pixel(image: Image, axis: int, unit: str) -> float:
    """The distance of the finest level's pixels in a unit."""
    if unit == PIXELS:
        return 1.0
    known = image.axes[axis].unit
    if known is None:
        name = image.axes[axis].name
        raise Unsupported(f"the distance of pixels along {name} is not known: cut out at a level instead")
    return image.levels[0].scale[axis] / ratio(unit, known)


def _within(ends: Ends, high: float, axis: str) -> tuple[float, float]:
    start = 0.0 if ends[0] is None else float(ends[0])
    stop = high if ends[1] is None else float(ends[1])
    if not (isfinite(start) and isfinite(stop)) or not 0 <= start < stop <= high * (1 + EXACT):
        raise BadRequest(f"{axis}={start:g}..{stop:g}: the range is empty or leaves 0..{high:g}")
    return start, min(stop, high)
