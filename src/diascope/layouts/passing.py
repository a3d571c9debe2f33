"""Tiles of pictures that are passed on as their source stores them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diascope.haste import pause
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.region import Ints
from diascope.image.stored import Stored
from diascope.tree.file import File

JPEG = "image/jpeg"
COLOURS = 3


@dataclass(frozen=True, slots=True, eq=False)
class JpegTiles:
    """The chunks of a level that are JPEG files of one plane."""

    stored: Stored
    first: Ints
    """The place of the chunks along all axes but rows and columns."""
    height: int
    width: int
    """Rows and columns of a chunk."""
    ends: Ints
    """Rows and columns of the level, rounded down to whole chunks where those at the edges are padded."""

    def file(self, rows: range, columns: range, make: Callable[[], bytes]) -> File | None:
        """The file of these rows and columns, which is made where it is not stored as it should be.

        None where they are no chunk, or not all of one.
        """
        row, column = rows.start // self.height, columns.start // self.width
        top, left = row * self.height, column * self.width
        down, across = self.ends
        if (rows.start, columns.start) != (top, left):
            return None
        if (rows.stop, columns.stop) != (min(top + self.height, down), min(left + self.width, across)):
            return None
        index, chunk = (*self.first, row, column), self.stored.chunk

        def read(start: int, stop: int | None) -> bytes:
            data = chunk(index)
            if data is None:
                pause()
                data = make()
            return data[start:stop] if start or stop is not None else data

        return File(media_type=JPEG, size=None, read=read, cheap=self.stored.is_near)


def jpeg_tiles(picture: Image, level: Level) -> JpegTiles | None:
    """Those of a level of a picture; None where its chunks are not JPEG of all of its channels."""
    stored, axes = level.stored, picture.axis_names
    if stored is None or stored.codec != "jpeg" or level.dtype != np.uint8:
        return None
    sides = dict(zip(axes, level.chunk_shape, strict=True))
    channels = picture.size("c")
    is_coloured = channels == COLOURS == sides["c"] if channels > 1 else False
    wanted = "yxc" if is_coloured else "yx"
    long = [axis for axis in stored.order if sides.get(axis, 1) > 1]
    if channels > 1 and not is_coloured:
        return None
    if long != [axis for axis in wanted if sides[axis] > 1] or any(sides[axis] > 1 for axis in set(axes) - set(wanted)):
        return None
    height, width = sides["y"], sides["x"]
    down, across = level.shape[-2:]
    if stored.is_padded:
        # A padded tile at an edge would show what lies beyond it.
        down, across = down // height * height, across // width * width
    return JpegTiles(stored, (0,) * (len(axes) - 2), height, width, (down, across))


def passed(tiles: JpegTiles | None, rows: range, columns: range, make: Callable[[], bytes]) -> File | None:
    """The file of a tile as it is stored; None where it has to be made."""
    return tiles.file(rows, columns, make) if tiles else None
