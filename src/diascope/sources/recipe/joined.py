"""Images one behind the other along an axis, which they have or which is added."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log2
from typing import Any, Protocol, TypeAlias

import numpy as np

from diascope.image.axes import ORDER, Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.pyramid import binning, halved
from diascope.image.region import Ints, Region


class ByNumber(Protocol):
    """Levels by number."""

    def __getitem__(self, k: int, /) -> Level: ...


LevelsAt: TypeAlias = Callable[[int], ByNumber]
"""The levels of the image at a place."""


@dataclass(frozen=True, slots=True)
class Along:
    """How images lie along the axis."""

    axis: Axis
    at: int
    """Where it stands among the axes of the result."""
    spacing: float
    first: float
    length: int
    starts: Ints
    """Where each begins, those that are missing left out."""
    sizes: Ints
    places: Ints
    """By which each is asked for."""
    added: bool
    """Whether the images lack the axis, so that each is one long."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a level; what no image covers has the value ``fill``."""

    along: Along
    level: int
    dtype: np.dtype[Any]
    levels: LevelsAt
    fill: Any

    def read(self, region: Region) -> Pixels:
        start, stop = region.start[self.along.at], region.stop[self.along.at]
        k = max(bisect_right(self.along.starts, start) - 1, 0)
        out: Pixels | None = None
        while k < len(self.along.starts) and self.along.starts[k] < stop:
            first, last = self.along.starts[k], self.along.starts[k] + self.along.sizes[k]
            if last > start and start < stop:
                box = _along(region, self.along.at, max(first, start), min(last, stop))
                pixels = self._part(k, _along(box, self.along.at, max(start - first, 0), min(stop, last) - first))
                if box == region:
                    return pixels
                out = np.full(region.shape, self.fill, self.dtype) if out is None else out
                out[box.shifted(region.start).slices] = pixels
            k += 1
        return np.full(region.shape, self.fill, self.dtype) if out is None else out

    def _part(self, k: int, region: Region) -> Pixels:
        level = self.levels(self.along.places[k])[self.level]
        if not self.along.added:
            return level.read(region)
        at = self.along.at
        inner = Region(region.start[:at] + region.start[at + 1 :], region.stop[:at] + region.stop[at + 1 :])
        return np.expand_dims(level.read(inner), at)


def _along(region: Region, at: int, start: int, stop: int) -> Region:
    return Region(
        (*region.start[:at], start, *region.start[at + 1 :]), (*region.stop[:at], stop, *region.stop[at + 1 :])
    )


def place_of(axis: str, names: str) -> int:
    """Where an axis stands among those of these names, when it is one of them."""
    return sum(ORDER.index(name) < ORDER.index(axis) for name in names)


def joined(first: Image, along: Along, levels: LevelsAt, fill: Any) -> Image:
    """The images as one, each level made of that of theirs; the first one tells all but the axis."""
    at = along.at
    axes = (*first.axes[:at], along.axis, *first.axes[at + (not along.added) :])

    def level(k: int, own: Level) -> Level:
        def put(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
            return (*values[:at], value, *values[at + (not along.added) :])

        return Level(
            shape=put(own.shape, along.length),
            dtype=own.dtype,
            chunk_shape=put(own.chunk_shape, 1 if along.added else own.chunk_shape[at]),
            scale=put(own.scale, along.spacing),
            translation=put(own.translation, along.first),
            read_pixels=Reader(along, k, own.dtype, levels, fill).read,
            cost=own.cost,
            spread=own.spread,
        )

    return replace(first, axes=axes, levels=tuple(level(k, own) for k, own in enumerate(first.levels)), world=None)


def thinned(image: Image) -> Image:
    """The image whose coarse levels have planes halved too, as often as the house would have done on the way to them.

    The planes of its own levels are all there, and each is halved when it is read.
    """
    at = image.axis_names.index("z")
    levels = [image.levels[0]]
    bins: list[Ints] = []
    for level in image.levels[1:]:
        steps = max(round(log2(max(level.scale[-2:]) / max(image.levels[0].scale[-2:]))), 0)
        seen = levels[-1]
        while len(bins) < steps:
            factors = binning(image.axes, seen)
            bins.append(tuple(factor if d == at else 1 for d, factor in enumerate(factors)))
            seen = halved(replace(seen, chunk_shape=seen.shape), factors, image.kind)
        thin = level
        for factors in bins[:steps]:
            if factors[at] > 1:
                thin = halved(thin, factors, image.kind)
        levels.append(thin)
    return replace(image, levels=tuple(levels))
