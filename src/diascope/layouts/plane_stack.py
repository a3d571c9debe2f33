"""An image as planes that are cut into tiles, level by level."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, padded
from diascope.image.order import moved
from diascope.image.pyramid import SMALL, dyadic
from diascope.image.region import Ints, Region, grid_shape
from diascope.layouts.packing import plain
from diascope.layouts.raw_tiles import RawTiles, raw_tiles

TILE = 256
LARGE_TILE = 512
LARGE = 1 << 14
"""Planes with more rows or columns than this are cut into the larger tiles."""

SMALLEST, LARGEST = 128, 1024
"""Of the sides of chunks that become tiles as they are."""

STEP = 16
"""The sides of a tile are multiples of this (TIFF 6.0, section 15)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneStack:
    """The planes of an image, in C order of the axes that number them; every level has all of them."""

    axis_names: str
    levels: tuple[Level, ...]
    dtype: np.dtype[Any]
    """Of the samples as they are stored, little endian."""
    samples: int
    """How many values a pixel of a plane has, interleaved: the colours of a picture, else one."""
    outer: str
    """The axes that number the planes."""
    sizes: Ints
    """The lengths of these axes."""
    tile_shapes: tuple[tuple[int, int], ...]
    """Rows and columns of the tiles of each level."""
    stored: tuple[RawTiles | None, ...]
    """The chunks of each level that are tiles as they are stored."""

    @property
    def planes(self) -> int:
        return prod(self.sizes)

    def grid(self, level: int) -> Ints:
        """Rows and columns of tiles that cover a plane."""
        return grid_shape(self.levels[level].shape[-2:], self.tile_shapes[level])

    def tile_size(self, level: int) -> int:
        """The bytes of one tile."""
        return prod(self.tile_shapes[level]) * self.samples * self.dtype.itemsize

    def tile(self, level: int, number: int, start: int, stop: int) -> bytes:
        """The bytes from start to stop of a tile, counted row by row and plane by plane; no more rows are read.

        Beyond the plane's edges there are zeros.
        """
        raw = self.stored[level]
        data = raw.part(*self._place(level, number), start, stop) if raw else None
        if data is not None:
            return data
        row_size = self.tile_shapes[level][1] * self.samples * self.dtype.itemsize
        top, bottom = start // row_size, -(-stop // row_size)
        rows = self._rows(level, number, top, bottom)
        rows += bytes((bottom - top) * row_size - len(rows))
        return rows[start - top * row_size : stop - top * row_size]

    def _place(self, level: int, number: int) -> tuple[Ints, int, int]:
        """The indices of the plane of a tile, and its row and column in the grid."""
        rows, columns = self.grid(level)
        number, column = divmod(number, columns)
        plane, row = divmod(number, rows)
        return unravelled(plane, self.sizes), row, column

    def _rows(self, level: int, number: int, top: int, bottom: int) -> bytes:
        """The rows of a tile that lie in its plane."""
        plane, row, column = self._place(level, number)
        height, width = self.tile_shapes[level]
        last = min(row * height + bottom, self.levels[level].shape[-2])
        if row * height + top >= last:
            return b""
        box = {name: (index, index + 1) for name, index in zip(self.outer, plane, strict=True)}
        box |= {"y": (row * height + top, last), "x": (column * width, column * width + width)}
        starts, stops = zip(*(box.get(name, (0, self.samples)) for name in self.axis_names), strict=True)
        pixels = padded(self.levels[level], Region(starts, stops))
        ordered = moved(pixels, self.axis_names, "yxc" if self.samples > 1 else "yx")
        return plain(ordered.astype(self.dtype, copy=False))


def plane_stack(image: Image, dtype: np.dtype[Any], *, interleaved: bool) -> PlaneStack:
    """The planes of an image, with samples of this type and the channels of a pixel side by side or each in a plane."""
    levels = flat_levels(image)
    samples = image.size("c") if interleaved else 1
    outer = "".join(name for name in image.axis_names if name not in ("cyx" if interleaved else "yx"))
    little, shapes = dtype.newbyteorder("<"), tuple(map(_tile_shape, levels))
    plane = "yxc" if samples > 1 else "yx"
    return PlaneStack(
        axis_names=image.axis_names,
        levels=levels,
        dtype=little,
        samples=samples,
        outer=outer,
        sizes=tuple(image.size(name) for name in outer),
        tile_shapes=shapes,
        stored=tuple(
            raw_tiles(image.axis_names, level, plane, (*shape, samples), little)
            for level, shape in zip(levels, shapes, strict=True)
        ),
    )


def flat_levels(image: Image) -> tuple[Level, ...]:
    """The levels of an image where all have every plane; else levels that are reduced in rows and columns alone."""
    planes = image.shape[:-2]
    if all(level.shape[:-2] == planes for level in image.levels):
        return image.levels
    levels = dyadic(image).levels
    last = next(k for k, level in enumerate(levels) if max(level.shape[-2:]) <= SMALL)
    return levels[: last + 1]


def _tile_shape(level: Level) -> tuple[int, int]:
    """The level's own chunks where they are fit to be tiles, so that each is read once, and may be passed on."""
    height, width = level.chunk_shape[-2:]
    if all(side % STEP == 0 and SMALLEST <= side <= LARGEST for side in (height, width)):
        return height, width
    largest = LARGE_TILE if max(level.shape[-2:]) > LARGE else TILE
    height, width = (min(largest, -(-size // STEP) * STEP) for size in level.shape[-2:])
    return height, width


def unravelled(number: int, sizes: Ints) -> Ints:
    """The indices of a place counted in C order."""
    indices = []
    for size in reversed(sizes):
        number, index = divmod(number, size)
        indices.append(index)
    return tuple(reversed(indices))
