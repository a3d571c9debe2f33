"""Uncompressed tiles that are passed on as their source stores them, any bytes of them by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from diascope.image.level import Level
from diascope.image.region import Ints
from diascope.image.stored import Stored, is_inside


@dataclass(frozen=True, slots=True, eq=False)
class RawTiles:
    """The chunks of a level that are tiles byte for byte."""

    level: Level
    stored: Stored
    places: Ints
    """For each axis of the level, which number of a tile's place is that along it: the planes' first, -2 is the row,
    -1 the column, and any other 0."""
    size: int
    """Bytes of a tile."""

    def part(self, plane: Ints, row: int, column: int, start: int, stop: int) -> bytes | None:
        """The bytes from start to stop of a tile, None where it reaches over an edge or is not stored as it is."""
        numbers = (*plane, 0, row, column)
        index = tuple(numbers[place] for place in self.places)
        if not is_inside(self.level, index):
            return None
        if self.stored.extent is None or self.stored.read is None:
            data = self.stored.chunk(index)
            return data[start:stop] if data is not None and len(data) == self.size else None
        extent = self.stored.extent(index)
        if extent is None or extent[1] - extent[0] != self.size:
            return None
        data = self.stored.read(extent[0] + start, extent[0] + stop)
        return data if len(data) == stop - start else None


def raw_tiles(axes: str, level: Level, order: str, tile: Ints, dtype: np.dtype[Any]) -> RawTiles | None:
    """Those of a level, of these rows, columns and samples in this order; None where its chunks are others."""
    stored = level.stored
    if stored is None or stored.codec != "raw" or stored.dtype != dtype or level.dtype != dtype.newbyteorder("="):
        return None
    sides = dict(zip(axes, level.chunk_shape, strict=True))
    wanted = dict(zip("yxc", tile, strict=True))
    if any(side != wanted.get(axis, 1) for axis, side in sides.items()):
        return None
    long = [axis for axis in order if sides[axis] > 1]
    if [axis for axis in stored.order if sides.get(axis, 1) > 1] != long:
        return None
    outer = [axis for axis in axes if axis not in order]
    places = tuple(outer.index(axis) if axis in outer else {"y": -2, "x": -1}.get(axis, -3) for axis in axes)
    return RawTiles(level, stored, places, prod(tile) * dtype.itemsize)
