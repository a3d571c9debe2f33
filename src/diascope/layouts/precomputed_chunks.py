"""The chunks of one scale of a Neuroglancer precomputed volume, clipped at the upper edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unsupported
from diascope.haste import pause
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.order import moved
from diascope.image.region import Ints, Region, grid_shape
from diascope.image.stored import Stored, is_inside
from diascope.layouts.precomputed_encoding import Encoding
from diascope.layouts.precomputed_scale import Scale, Span
from diascope.layouts.precomputed_types import data_type
from diascope.tree.file import File, whole

Spans3 = tuple[Span, Span, Span]
"""Along x, y and z."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chunks:
    """A scale cut into the cells of a grid."""

    image: Image
    encoding: Encoding
    scale: Scale

    @property
    def grid(self) -> Ints:
        """How many there are along x, y and z."""
        return grid_shape(self.scale.size, self.scale.chunk_size)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Of the voxels."""
        return data_type(self.image, self.encoding.narrowest)

    @cached_property
    def channels(self) -> int:
        return self.image.size("c")

    @property
    def full_size(self) -> int:
        """Bytes of the voxels of a chunk that no edge clips."""
        return self.dtype.itemsize * self.channels * prod(self.scale.chunk_size)

    def size(self, cells: Region) -> int:
        """Bytes of the voxels of the chunks in a box of the grid."""
        ends = zip(cells.start, cells.stop, self.scale.chunk_size, self.scale.size, strict=True)
        lengths = (max(0, min(stop * side, size) - start * side) for start, stop, side, size in ends)
        return self.dtype.itemsize * self.channels * prod(lengths)

    def spans(self, cell: Ints) -> Spans3:
        """The voxels of a chunk."""
        sides = zip(cell, self.scale.chunk_size, self.scale.size, strict=True)
        x, y, z = (Span(index * side, min((index + 1) * side, size)) for index, side, size in sides)
        return x, y, z

    def encoded(self, cell: Ints) -> bytes:
        """The bytes of a chunk, as it is stored where that is of its encoding."""
        stored, index = self.stored, self._index(cell)
        data = stored.chunk(index) if stored and self._is_passed(stored, index) else None
        if data is None:
            pause()
            data = self.encoding.encoded(self.voxels(self.spans(cell)))
        return data

    def file(self, cell: Ints) -> File:
        """A chunk as a file."""
        stored = self.stored
        size = self.size(Region(cell, tuple(index + 1 for index in cell))) if self.encoding.is_plain else None
        is_cheap = stored is not None and stored.is_near and self._is_passed(stored, self._index(cell))
        return whole(lambda: self.encoded(cell), self.encoding.media_type, size, cheap=is_cheap)

    @cached_property
    def stored(self) -> Stored | None:
        """The chunks that are passed on as they are stored, where they end as those of a volume do."""
        level, encoding = self.scale.level, self.encoding
        stored = level.stored
        if stored is None or (stored.codec, stored.dtype) != (encoding.codec, self.dtype.newbyteorder("<")):
            return None
        box = {"t": 1, "c": self.channels} | dict(zip("xyz", self.scale.chunk_size, strict=True))
        names = self.image.axis_names
        if not stored.is_in(level, names, tuple(box[name] for name in names), encoding.order):
            return None
        is_told = all(stored.parameters.get(key) == value for key, value in encoding.told.items())
        return stored if is_told else None

    def _is_passed(self, stored: Stored, index: Ints) -> bool:
        return not stored.is_padded or is_inside(self.scale.level, index)

    def _index(self, cell: Ints) -> Ints:
        """In the level's own grid."""
        places = {"t": 0, "c": 0} | dict(zip("xyz", cell, strict=True))
        return tuple(places[name] for name in self.image.axis_names)

    def part(self, cell: Ints, start: int, stop: int) -> bytes:
        """The bytes from start to stop of a chunk that is its voxels; of one channel no more planes are read."""
        x, y, z = self.spans(cell)
        plane = self.dtype.itemsize * (x.stop - x.start) * (y.stop - y.start)
        first = start // plane if self.channels == 1 else 0
        last = -(-stop // plane) if self.channels == 1 else z.stop - z.start
        data = self.encoding.encoded(self.voxels((x, y, Span(z.start + first, z.start + last))))
        return data[start - first * plane : stop - first * plane]

    def voxels(self, spans: Spans3) -> NDArray[Any]:
        """An array of c, z, y and x; raises Unsupported where a label is negative."""
        x, y, z = spans
        box = {"t": Span(0, 1), "c": Span(0, self.channels), "z": z, "y": y, "x": x}
        taken = [box[axis.name] for axis in self.image.axes]
        region = Region(tuple(span.start for span in taken), tuple(span.stop for span in taken))
        pixels = moved(self.scale.level.read(region), self.image.axis_names, "czyx")
        if self.image.kind == "labels":
            _check_labels(pixels)
        return pixels.astype(self.dtype.newbyteorder("<"), copy=False)


def _check_labels(pixels: Pixels) -> None:
    if pixels.dtype.kind == "i" and pixels.size and pixels.min() < 0:
        raise Unsupported(f"a precomputed segmentation has no negative labels, and here is {pixels.min()}")
