"""One level of an image: planes of tiles that lie beside and over one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.bounded import Part, reader_cache
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.czi.codecs import GRAY, pixel_type
from diascope.sources.czi.directory import Column, Subblocks
from diascope.sources.czi.subblock import Subblock
from diascope.sources.reading.plain.row_major import plane_chunk_shape
from diascope.stores.store import Blob

SMALLEST_CHUNK = 256
LARGEST_CHUNK = 2048
LOOSE_CHUNK = 1024
"""Of tiles that overlap, or lie anywhere."""

_tiles: Part[Pixels] = Part(reader_cache, weigh=lambda pixels: pixels.nbytes)
"""Decoded subblocks: chunks that do not lie as the tiles do share them."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The subblocks of a file as they are stored."""

    blob: Blob
    bounds: Column
    """Where its segments start, in order."""

    def at(self, table: Subblocks, row: int) -> Subblock:
        position = int(table.position[row])
        behind = int(np.searchsorted(self.bounds, position, "right"))
        _, dtype, samples = pixel_type(int(table.pixel_type[row]))
        size = (int(table.stored_height[row]), int(table.stored_width[row]))
        return Subblock(
            blob=self.blob,
            start=position,
            stop=int(self.bounds[behind]) if behind < len(self.bounds) else self.blob.stat.size,
            shape=size if samples == GRAY else (*size, samples),
            dtype=dtype,
            compression=int(table.compression[row]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """Subblocks of one resolution, drawn one after the other; what none covers is zero."""

    pieces: Pieces
    table: Subblocks
    """In the order of planes and, within one, of drawing."""
    plane: Column
    """The number of each row's plane, in order."""
    x: Column
    """Of each row's first pixel in the level."""
    y: Column
    shape: Ints
    """Along t, c, z, y and x."""
    dtype: np.dtype[Any]
    samples: int
    _identity: object = field(default_factory=object)

    def read(self, region: Region) -> Pixels:
        """The pixels along t, c, z, y, x and samples; of a single tile they are its own memory."""
        *outer, rows, columns = [slice(*ends) for ends in zip(region.start, region.stop, strict=True)]
        planes = list(product(*(range(each.start, each.stop) for each in outer)))
        if len(planes) == 1 and (found := self._single(self._number(planes[0]), rows, columns)) is not None:
            return found[None, None, None]
        out = np.zeros((len(planes), *region.shape[3:], self.samples), self.dtype)
        for k, place in enumerate(planes):
            self._draw(out[k], self._number(place), rows, columns)
        return out.reshape(*region.shape, self.samples)

    def _number(self, place: Ints) -> int:
        return int(np.ravel_multi_index(place, self.shape[:3]))

    def _touching(self, plane: int, rows: slice, columns: slice) -> NDArray[np.intp]:
        """The rows of the table whose tiles have pixels there."""
        first, stop = np.searchsorted(self.plane, [plane, plane + 1])
        part = slice(int(first), int(stop))
        x, y = self.x[part], self.y[part]
        hit = (x < columns.stop) & (x + self.table.stored_width[part] > columns.start)
        hit &= (y < rows.stop) & (y + self.table.stored_height[part] > rows.start)
        return np.flatnonzero(hit) + int(first)

    def _single(self, plane: int, rows: slice, columns: slice) -> Pixels | None:
        """The pixels where one tile has all of them."""
        found = self._touching(plane, rows, columns)
        if len(found) != 1 or 0 in (rows.stop - rows.start, columns.stop - columns.start):
            return None
        inside = self._shared(int(found[0]), rows, columns)
        if (inside[0], inside[1]) != (rows, columns):
            return None
        return self._tile(int(found[0]), rows, columns)

    def _draw(self, out: Pixels, plane: int, rows: slice, columns: slice) -> None:
        for row in self._touching(plane, rows, columns):
            down, across = self._shared(int(row), rows, columns)
            target = out[
                down.start - rows.start : down.stop - rows.start,
                across.start - columns.start : across.stop - columns.start,
            ]
            target[...] = self._tile(int(row), down, across)

    def _shared(self, row: int, rows: slice, columns: slice) -> tuple[slice, slice]:
        """Which of these rows and columns of the level a tile has."""
        x, y = int(self.x[row]), int(self.y[row])
        down = slice(max(rows.start, y), min(rows.stop, y + int(self.table.stored_height[row])))
        across = slice(max(columns.start, x), min(columns.stop, x + int(self.table.stored_width[row])))
        return down, across

    def _tile(self, row: int, rows: slice, columns: slice) -> Pixels:
        """These rows and columns of the level, which the tile has, with samples last."""
        piece = self.pieces.at(self.table, row)
        down, across = _moved(rows, -int(self.y[row])), _moved(columns, -int(self.x[row]))
        if piece.is_plain:
            pixels = piece.part(down, across)
        else:
            pixels = _tiles.get((self._identity, row), piece.pixels)[down, across]
        return pixels if pixels.ndim > 2 else pixels[..., None]

    def chunk(self) -> Ints:
        """Rows and columns of the grid in which reading is cheap."""
        height, width = self.shape[3:]
        tile = (int(self.table.stored_height.max()), int(self.table.stored_width.max()))
        is_single = len(np.unique(self.plane)) == len(self.plane)
        if is_single and self.pieces.at(self.table, 0).is_plain:
            return plane_chunk_shape((height, width), self.dtype.itemsize * self.samples)
        if is_single:
            return height, width
        on_grid = not (self.x % tile[1]).any() and not (self.y % tile[0]).any()
        most = LARGEST_CHUNK if on_grid else LOOSE_CHUNK
        # Of small tiles several, for each chunk is looked for among all the tiles.
        sides = [side * max(SMALLEST_CHUNK // side, 1) for side in tile]
        return min(sides[0], most, height), min(sides[1], most, width)


def _moved(span: slice, by: int) -> slice:
    return slice(span.start + by, span.stop + by)
