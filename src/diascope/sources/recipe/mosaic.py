"""Tiles at the positions of a stage, blended where they overlap.

A tile begins at the whole pixel of the mosaic that is nearest to its position, so that its own pixels stay as they are;
coarse levels are interpolated from its own coarse levels. Where tiles overlap, each counts by the product of its
distances, along x and y, from pixel to nearest edge and one half more: linear across an overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.interpolation import limits
from diascope.image.level import Level, Pixels
from diascope.image.mapping import mapping
from diascope.image.pyramid import SMALL
from diascope.image.region import Ints, Region
from diascope.image.units import ratio
from diascope.sources.recipe.model import LONGEST, MOST, Mosaic
from diascope.sources.recipe.parts import Levels, Parts, on_grid
from diascope.sources.recipe.planned import Planned

SIDE = 512

Pairs = NDArray[np.float64]
"""Rows of y and x, one for each tile."""


class Places(NamedTuple):
    """Where tiles lie in one level of the mosaic, in its pixels."""

    low: Pairs
    """The lower edge of each, half a pixel before the centre of its first pixel."""
    high: Pairs
    first: NDArray[np.int64]
    """The first row and column of the mosaic that each has."""
    last: NDArray[np.int64]
    """One more than the last."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one level."""

    parts: Parts
    order: Ints
    """The places of the tiles in the recipe, as in the rows of ``places``."""
    level: int
    grid: Level
    places: Places
    blends: bool

    def read(self, region: Region) -> Pixels:
        touched = list(self._touched(region))
        if len(touched) == 1 and touched[0][1] == region:
            return self._tile(*touched[0])
        return self._blended(region, touched) if self.blends else self._picked(region, touched)

    def _touched(self, region: Region) -> Iterator[tuple[int, Region]]:
        """The rows of the tiles that a region touches, in their order, each with what it has of the region."""
        start, stop = (np.array(corner[-2:]) for corner in (region.start, region.stop))
        first, last = np.maximum(self.places.first, start), np.minimum(self.places.last, stop)
        for row in np.nonzero((first < last).all(axis=1))[0].tolist():
            ends = (tuple(int(n) for n in each[row]) for each in (first, last))
            low, high = ends
            yield row, Region((*region.start[:-2], *low), (*region.stop[:-2], *high))

    def _tile(self, row: int, box: Region) -> Pixels:
        origin = (0,) * (len(box.start) - 2) + tuple(int(n) for n in self.places.first[row])
        level = self.parts.levels(self.order[row])[self.level]
        return level.read(box.shifted(origin))

    def _weight(self, row: int, box: Region) -> Pairs:
        """Of each pixel of a box, along y and x; the same whatever the box."""
        along = []
        for k in (0, 1):
            at = np.arange(box.start[k - 2], box.stop[k - 2], dtype=np.float64)
            along.append(np.minimum(at - self.places.low[row, k], self.places.high[row, k] - at) + 0.5)
        return np.asarray(along[0][:, None] * along[1])

    def _blended(self, region: Region, touched: list[tuple[int, Region]]) -> Pixels:
        dtype = self.grid.dtype
        out = np.zeros(region.shape, dtype)
        total = np.zeros(region.shape, np.complex128 if dtype.kind == "c" else np.float64)
        weight, count = np.zeros(region.shape[-2:]), np.zeros(region.shape[-2:], np.int64)
        for row, box in touched:
            at = box.shifted(region.start).slices
            pixels, by = self._tile(row, box), self._weight(row, box)
            out[at] = pixels
            total[at] += by * pixels
            weight[at[-2:]] += by
            count[at[-2:]] += 1
        several = count > 1
        mean = total[..., several] / weight[several]
        if dtype.kind in "iu":
            mean = np.clip(np.floor(mean + 0.5), *limits(dtype))
        out[..., several] = mean.astype(dtype)
        return out

    def _picked(self, region: Region, touched: list[tuple[int, Region]]) -> Pixels:
        out, best = np.zeros(region.shape, self.grid.dtype), np.zeros(region.shape[-2:])
        for row, box in touched:
            at = box.shifted(region.start).slices
            weight = self._weight(row, box)
            better = weight > best[at[-2:]]
            out[at] = np.where(better, self._tile(row, box), out[at])
            best[at[-2:]] = np.where(better, weight, best[at[-2:]])
        return out


def mosaic(recipe: Mosaic, parts: Parts) -> Image:
    """The tiles as one image; where there is none it is 0."""
    template = parts.raw(parts.first)
    order = tuple(sorted(parts.planned))
    finest = template.levels[0]
    apart = np.array(finest.scale[-2:])
    positions = _positions(recipe, parts, template)
    origin = positions.min(axis=0)
    pixels = np.floor((positions - origin) / apart + 0.5)
    if not np.isfinite(pixels).all() or (pixels.max(axis=0) + finest.shape[-2:]).max() > LONGEST:
        raise parts.known.written.wrong((), f"the mosaic would have more than {LONGEST} pixels along an axis")
    levels = [_level(template, origin, pixels, 0)]
    while max(levels[-1][0].shape[-2:]) > SMALL:
        levels.append(_level(template, origin, pixels, len(levels)))

    def made(part: Planned, image: Image) -> Levels:
        parts.alike(part, image, template, placed=True)
        if image.shape != template.shape:
            raise parts.wrong(part, f"its shape is {image.shape}, that of the first tile {template.shape}")
        row = order.index(part.at)
        start = origin + pixels[row] * apart
        back = np.eye(4)
        back[:2, 3] = (np.array(image.levels[0].translation[-2:]) - start)[::-1]
        there = mapping(back)
        return Levels(lambda k: on_grid(image, _cut(*levels[k], row), there))

    placed = parts.making(made)
    blends = recipe.blend == "linear" and template.kind != "labels" and template.dtype.kind != "b"

    def readable(k: int) -> Level:
        level, at = levels[k]
        return replace(level, read_pixels=Reader(placed, order, k, level, at, blends).read)

    return replace(template, levels=tuple(map(readable, range(len(levels)))), world=None)


def _positions(recipe: Mosaic, parts: Parts, template: Image) -> Pairs:
    """Of the first pixel of each tile, along y and x."""
    lacking = [part for part in parts.planned.values() if part.position is None]
    if len(lacking) > MOST:
        told = f"{len(lacking)} tiles have no position; each would have to be opened, and the limit is {MOST}"
        raise parts.known.written.wrong(("tiles",), told)
    by = 1.0
    unit = template.axes[-1].unit
    if recipe.unit is not None:
        if unit is None:
            told = f"the tiles' axes have no unit, so that {recipe.unit} means nothing"
            raise parts.known.written.wrong(("unit",), told)
        by = ratio(recipe.unit, unit)
    found = []
    for _, part in sorted(parts.planned.items()):
        if part.position is None:
            found.append(parts.raw(part).levels[0].translation[-2:])
        else:
            found.append((part.position[1] * by, part.position[0] * by))
    return np.array(found, np.float64)


def _level(template: Image, origin: Pairs, pixels: Pairs, power: int) -> tuple[Level, Places]:
    """A level whose pixels are so many times twice as far apart, and where the tiles lie in it; not to be read yet."""
    finest = template.levels[0]
    by = 2**power
    sizes = np.array([-(-size // by) for size in finest.shape[-2:]])
    low, high = pixels / by - 0.5, pixels / by + sizes - 0.5
    places = Places(low, high, np.ceil(low).astype(np.int64), np.ceil(high).astype(np.int64))
    shape = tuple(int(n) for n in places.last.max(axis=0))
    scale = tuple(by * each for each in finest.scale[-2:])
    first = tuple(float(at) + (by - 1) / 2 * each for at, each in zip(origin.tolist(), finest.scale[-2:], strict=True))
    other = finest.shape[:-2]
    chunk = [*finest.chunk_shape[:-2], *(min(SIDE, size) for size in shape)]
    level = replace(
        finest,
        shape=(*other, *shape),
        chunk_shape=tuple(chunk),
        scale=(*finest.scale[:-2], *scale),
        translation=(*finest.translation[:-2], *first),
        cost=2 * finest.cost,
    )
    return level, places


def _cut(level: Level, places: Places, row: int) -> Level:
    """The part of a level that a tile has."""
    first, last = places.first[row].tolist(), places.last[row].tolist()
    moved = (at + n * by for at, n, by in zip(level.translation[-2:], first, level.scale[-2:], strict=True))
    return replace(
        level,
        shape=(*level.shape[:-2], *(b - a for a, b in zip(first, last, strict=True))),
        translation=(*level.translation[:-2], *moved),
    )
