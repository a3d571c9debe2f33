"""An image seen through a map of space: the one place where pixels between pixels are made.

Each level of the result is read out of the source's level that fits it, a box of source pixels at a time, so that a
coarse level is not a sparse sample of the finest one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diascope.image.halving import means, modes
from diascope.image.image import Image, Interpolation, Kind, Resampling, resampled_by
from diascope.image.interpolation import Piece, interpolated
from diascope.image.level import Level, Pixels, assembled
from diascope.image.mapping import IDENTITY, Mapping
from diascope.image.placing import Placing, placing
from diascope.image.pyramid import SMALL, binning, halved, scaled
from diascope.image.region import Ints, Region
from diascope.image.resampled import ROUNDING, Grid, level_for
from diascope.image.space import extent, holds, values

CHEAP = 1 << 18
"""A box of so many source pixels is read at once, however few of them are needed."""

WASTE = 8
"""So many times as many source pixels as are made are read at once."""

LARGEST = 1 << 25
"""More source pixels than this are never read at once, unless a single pixel needs them."""

VOLUME_SIDE = 64
PLANE_SIDE = 512


def through(image: Image, back: Mapping, finest: Grid, interpolation: Interpolation, **changes: Any) -> Image:
    """The image at the places of a grid, each seen where ``back`` maps it to in the image; outside it is 0.

    The grid is that of level 0; coarser ones are halved until rows and columns are at most 256. Where the image itself
    is seen so, its own source is interpolated, once. Labels and booleans are the nearest pixels. Other fields of the
    image are changed as said.
    """
    resampling = _resampling(image, back, interpolation)
    levels = tuple(_level(resampling, image, grid) for grid in _grids(image, finest, resampling))
    seen = replace(image, levels=levels, stored=back.then(image.stored), **changes)
    return resampled_by(seen, resampling)


def level_through(image: Image, back: Mapping, grid: Level, interpolation: Interpolation) -> Level:
    """One level of the image so seen, at the places of the pixels of a level, which is not read."""
    return _level(_resampling(image, back, interpolation), image, grid)


def _resampling(image: Image, back: Mapping, interpolation: Interpolation) -> Resampling:
    before = image.resampling
    source, mapping = image, back
    if before is not None:
        source, within = before.source, () if _is_whole(image) else (extent(image.axes, image.levels[0]),)
        mapping = back.then(Mapping(within)).then(before.mapping)
    if source.kind == "labels" or source.dtype.kind == "b":
        interpolation = "nearest"
    return Resampling(source, mapping, interpolation)


def carried(result: Image, image: Image, same: Callable[[Image], Image], back: Mapping = IDENTITY) -> Image:
    """A result that picks whole pixels of an image, and knows what these are interpolated from.

    ``same`` does to the source what was done to the image along the axes t and c.
    """
    known = image.resampling
    if known is None:
        return result
    mapping = back.then(known.mapping)
    return resampled_by(result, Resampling(same(known.source), mapping, known.interpolation))


def _is_whole(image: Image) -> bool:
    """Whether an image that is seen through a map has a place for all its source's pixels."""
    return image.resampling is not None and holds(image, image.resampling.source, image.resampling.mapping)


def _grids(image: Image, finest: Grid, resampling: Resampling) -> Iterator[Level]:
    """Levels of the result that cannot be read yet, the finest first.

    Planes are not halved further than the source's levels are: a coarse pixel would be made of all its planes.
    """
    level = replace(
        image.levels[0], shape=finest.shape, scale=finest.spacing, translation=finest.origin, read_pixels=_unread
    )
    yield level
    thickest = _thickest(resampling)
    while max(level.shape[-2:]) > SMALL:
        factors = binning(image.axes, level)
        thick = "z" in image.axis_names and 2 * level.scale[-3] > thickest * (1 + ROUNDING)
        level = halved(level, (*factors[:-3], 1, *factors[-2:]) if thick else factors, image.kind)
        yield level


def _thickest(resampling: Resampling) -> float:
    """How far apart pixels of the source's coarsest level are, along the axes that the result's planes follow."""
    source = resampling.source
    apart = values(source.axes, source.levels[-1].scale, 0.0)
    return float(apart[resampling.mapping.matrix[:3, 2] != 0].max())


def _unread(region: Region) -> Pixels:
    raise NotImplementedError(region)


def _level(resampling: Resampling, image: Image, grid: Level) -> Level:
    source = fitting(resampling.source, resampling.mapping, grid)
    placed = placing(image.axes, grid, source, resampling.mapping)
    reader = Reader(image.axis_names, image.kind == "rgb", grid, source, placed, resampling.interpolation)
    return replace(grid, chunk_shape=reader.chunk_shape, read_pixels=reader.read, cost=2 * source.cost)


def fitting(source: Image, mapping: Mapping, grid: Level) -> Level:
    """The source's level for a level of the result, halved further where it has none that is coarse enough.

    Along each axis its pixels are no farther apart than the result's, and at least half as far. The result's distance
    along an axis of the source is the harmonic mean of that along its own axes, each counted by how far it goes along.
    """
    steps = mapping.matrix[:3, :3] * values(source.axes, grid.scale, 0.0)
    lengths = np.sqrt((steps**2).sum(axis=0))
    shares = steps**2 / np.where(lengths > 0, lengths, 1) ** 2
    density = (shares / np.where(lengths > 0, lengths, 1)).sum(axis=1)
    apart = {
        name: float(s / d) if d > 0 else 0.0 for name, s, d in zip("xyz", shares.sum(axis=1), density, strict=True)
    }
    wanted = tuple(apart.get(axis.name, scale) for axis, scale in zip(source.axes, grid.scale, strict=True))
    level = level_for(source, wanted)
    behind = 1
    while max(factors := _factors(level, wanted)) > 1:
        level = _at_once(level, factors, source.kind, behind)
        behind *= prod(factors)
    return level


def _at_once(finer: Level, factors: Ints, kind: Kind, behind: int) -> Level:
    """The level of half the size, of which no more is read than what is asked for, in parts that fit in memory.

    Behind each pixel of the finer level so many others are read at once.
    """
    reduced = modes if kind == "labels" else means

    def read_pixels(region: Region) -> Pixels:
        wanted = scaled(region, factors).clipped(finer.shape)
        if behind == 1 or prod(wanted.shape) * behind <= LARGEST:
            return reduced(finer.read(wanted), factors)
        pieces = ((piece, finer.read(piece)) for piece in _pieces(wanted, LARGEST // behind))
        return reduced(assembled(finer, wanted, pieces), factors)

    return replace(halved(finer, factors, kind), chunk_shape=finer.chunk_shape, read_pixels=read_pixels)


def _pieces(region: Region, most: int) -> Iterator[Region]:
    """Pieces of a region that have at most so many pixels, or one, cut along its first axes."""
    if prod(region.shape) <= max(most, 1):
        yield region
        return
    at = next(d for d, size in enumerate(region.shape) if size > 1)
    start, stop = list(region.start), list(region.stop)
    start[at] = stop[at] = (region.start[at] + region.stop[at]) // 2
    yield from _pieces(Region(region.start, tuple(stop)), most)
    yield from _pieces(Region(tuple(start), region.stop), most)


def _factors(level: Level, wanted: tuple[float, ...]) -> Ints:
    each = zip(level.shape, level.scale, wanted, strict=True)
    return tuple(2 if size > 1 and by >= 2 * scale * (1 - ROUNDING) else 1 for size, scale, by in each)


class Part(NamedTuple):
    """A part of the result along the spatial axes."""

    box: Region
    source: Region
    """The pixels of the source that it is made of."""
    field: NDArray[np.float64]
    """Where its pixels lie; see ``Placing.field``."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a level of the result."""

    axes: str
    is_rgb: bool
    grid: Level
    source: Level
    placing: Placing
    interpolation: Interpolation

    @property
    def chunk_shape(self) -> Ints:
        """Cubes where planes are tilted or the source has them, else planes."""
        deep = "z" in self.axes and (self.placing.is_volume or self.source.chunk_shape[-3] > 1)
        sides = {"c": 4 if self.is_rgb else 1, "z": VOLUME_SIDE if deep else 1}
        side = VOLUME_SIDE if deep else PLANE_SIDE
        return tuple(
            min(size, side if name in "yx" else sides.get(name, 1))
            for name, size in zip(self.axes, self.grid.shape, strict=True)
        )

    def read(self, region: Region) -> Pixels:
        """The pixels of a region; those of colours lie side by side in memory."""
        out = self._empty(region.shape)
        depth = 3 if "z" in self.axes else 2
        others = len(self.axes) - depth
        for part in self._parts(region.start[others:], region.stop[others:]):
            for t in range(region.start[0], region.stop[0]) if self.axes[0] == "t" else (None,):
                self._fill(out, region, part, t)
        return out

    def _fill(self, out: Pixels, region: Region, part: Part, t: int | None) -> None:
        """Fill in a part of a region at a time point."""
        others = len(self.axes) - len(part.box.start)
        first = region.start[:others] if t is None else (t, *region.start[1:others])
        last = region.stop[:others] if t is None else (t + 1, *region.stop[1:others])
        pixels = self.source.read(Region((*first, *part.source.start), (*last, *part.source.stop)))
        into = out[Region((*first, *part.box.start), (*last, *part.box.stop)).shifted(region.start).slices]
        piece = Piece(
            source=_stacked(pixels, self.axes),
            out=_stacked(into, self.axes),
            start=part.box.start,
            first=part.source.start,
            field=part.field,
        )
        interpolated(piece, self.placing, self.interpolation)

    def _empty(self, shape: Ints) -> Pixels:
        if not self.is_rgb:
            return np.zeros(shape, self.grid.dtype)
        at = self.axes.index("c")
        return np.moveaxis(np.zeros((*shape[:at], *shape[at + 1 :], shape[at]), self.grid.dtype), -1, at)

    def _parts(self, start: Ints, stop: Ints) -> Iterator[Part]:
        """Parts of a region along the spatial axes that show something, whose sources are worth reading at once."""
        size = prod(b - a for a, b in zip(start, stop, strict=True))
        if not size:
            return
        if self.placing.is_affordable(size):
            field = self.placing.field(start, stop)
            seen = self.placing.box(start, stop, field, self.interpolation)
            if seen is None:
                return
            if size == 1 or prod(seen.shape) <= min(max(CHEAP, WASTE * size), LARGEST):
                yield Part(Region(start, stop), seen, field)
                return
        longest = max(range(len(start)), key=lambda d: stop[d] - start[d])
        middle = (start[longest] + stop[longest]) // 2
        yield from self._parts(start, (*stop[:longest], middle, *stop[longest + 1 :]))
        yield from self._parts((*start[:longest], middle, *start[longest + 1 :]), stop)


def _stacked(pixels: Pixels, axes: str) -> Pixels:
    """The pixels of a time point as (c, z, y, x)."""
    if "t" in axes:
        pixels = pixels[0]
    if "z" not in axes:
        pixels = pixels[..., None, :, :]
    return pixels if "c" in axes else pixels[None]
