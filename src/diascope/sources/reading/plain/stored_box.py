"""Pixels that lie in a file in an order of axes of its own, as a level in the house's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from diascope.image.axes import ORDER
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region
from diascope.sources.reading.plain.row_major import ReadBytes, RowMajor, plane_chunk_shape

ReadBox: TypeAlias = Callable[[Region], Pixels]


@dataclass(frozen=True, slots=True)
class StoredBox:
    """Pixels as they lie in a file."""

    axes: str
    """Slowest first, each of them one of the house's."""
    shape: Ints
    """Along those axes."""
    dtype: np.dtype[Any]
    """Of one sample, in the byte order of the file."""
    read: ReadBox
    """The pixels of a region along those axes, in the byte order of the machine."""

    @property
    def house_axes(self) -> str:
        return "".join(name for name in ORDER if name in self.axes)

    def level(self, scale: Mapping[str, float], first: Mapping[str, float]) -> Level:
        """With the distance of pixels and the place of the first one, 1 and 0 where none is given."""
        axes = self.house_axes
        to_house = tuple(self.axes.index(axis) for axis in axes)
        to_file = tuple(axes.index(axis) for axis in self.axes)
        read, chunk = self.read, self._chunk_shape()

        def read_pixels(region: Region) -> Pixels:
            start, stop = (tuple(corner[k] for k in to_file) for corner in (region.start, region.stop))
            return read(Region(start, stop)).transpose(to_house)

        return Level(
            shape=tuple(self.shape[k] for k in to_house),
            dtype=self.dtype.newbyteorder("="),
            chunk_shape=tuple(chunk[k] for k in to_house),
            scale=tuple(scale.get(axis, 1.0) for axis in axes),
            translation=tuple(first.get(axis, 0.0) for axis in axes),
            read_pixels=read_pixels,
        )

    def _chunk_shape(self) -> Ints:
        """Whole rows, and colours that lie together whole."""
        if self.axes.endswith("c") and len(self.axes) > 2:
            colours = self.shape[-1]
            return (*plane_chunk_shape(self.shape[:-1], colours * self.dtype.itemsize), colours)
        return plane_chunk_shape(self.shape, self.dtype.itemsize)


def plain_box(read: ReadBytes, start: int, axes: str, shape: Ints, dtype: np.dtype[Any]) -> StoredBox:
    """Pixels that lie there as plain bytes in C order from this byte on."""
    return StoredBox(axes, shape, dtype, RowMajor(read, start, shape, dtype).box)
