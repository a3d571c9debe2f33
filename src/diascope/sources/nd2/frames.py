"""The pixels of the frames of one position as a level."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import ORDER
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.nd2.chunks import Chunks
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.sources.reading.plain.strided import Strided

CHUNK = 1 << 20
LARGEST_FRAME = 1 << 31
"""A packed frame of more bytes is refused: it would be unpacked for every tile."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What every frame looks like: rows of pixels, each of all components."""

    height: int
    width: int
    components: int
    row: int
    """How many bytes a row has."""
    dtype: np.dtype[Any]
    is_packed: bool
    is_rgb: bool
    """Whether the components are blue, green and red."""

    @property
    def nbytes(self) -> int:
        return self.height * self.row

    def strided(self, read: ReadBytes, start: int) -> Strided:
        size = self.dtype.itemsize
        shape = (self.components, self.height, self.width)
        return Strided(read, start, shape, (size, self.row, self.components * size), self.dtype)


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames in the order of loops, of which some may never have been acquired."""

    chunks: Chunks
    look: Shape
    first: int
    loops: dict[str, tuple[int, int]]
    """For t and z, where there are such loops, how many and how many frames apart."""
    count: int
    """How many frames the file has by its own count: one behind is empty, one before that is missing is trouble."""

    @property
    def axes(self) -> str:
        names = {*self.loops, "y", "x", *("c" if self.look.components > 1 else "")}
        return "".join(name for name in ORDER if name in names)

    @property
    def shape(self) -> Ints:
        return self._ordered({"c": self.look.components, "y": self.look.height, "x": self.look.width}, loops=True)

    @property
    def chunk_shape(self) -> Ints:
        rows = self.look.height if self.look.is_packed else max(min(CHUNK // self.look.row, self.look.height), 1)
        return self._ordered({"c": self.look.components, "y": rows, "x": self.look.width}, loops=False)

    @property
    def is_cut(self) -> bool:
        """Whether some of its frames were never acquired."""
        return self._number({name: count - 1 for name, (count, _) in self.loops.items()}) >= self.count

    def read_pixels(self, region: Region) -> Pixels:
        if 0 in region.shape:
            return np.empty(region.shape, self.look.dtype)
        names = self.axes
        given = {name: (region.start[d], region.stop[d]) for d, name in enumerate(names) if name in "cyx"}
        spans = [given.get(name, (0, 1)) for name in "cyx"]
        steps = list(self._steps(region))
        if len(steps) == 1:
            return self._frame(self._number(steps[0][0]), spans).reshape(region.shape)
        out = np.empty(region.shape, self.look.dtype)
        for index, key in steps:
            box = self._frame(self._number(index), spans)
            out[key] = box if "c" in names else box[0]
        return out

    def _steps(self, region: Region) -> Iterator[tuple[dict[str, int], tuple[slice | int, ...]]]:
        """The indices of each frame, and where it goes; behind t, c stays before z as it does in the house's order."""
        loops = [d for d, name in enumerate(self.axes) if name in self.loops]
        for index in product(*(range(region.start[d], region.stop[d]) for d in loops)):
            at = dict(zip(loops, index, strict=True))
            key = tuple(at[d] - region.start[d] if d in at else slice(None) for d in range(len(region.shape)))
            yield {self.axes[d]: i for d, i in at.items()}, key

    def _number(self, index: dict[str, int]) -> int:
        return self.first + sum(i * self.loops[name][1] for name, i in index.items())

    def _frame(self, number: int, spans: list[tuple[int, int]]) -> Pixels:
        """Components, rows and columns of one frame."""
        if self.look.is_rgb:
            spans = [(self.look.components - spans[0][1], self.look.components - spans[0][0]), *spans[1:]]
        region = Region(tuple(start for start, _ in spans), tuple(stop for _, stop in spans))
        if number not in self.chunks.frames:
            if number < self.count:
                raise Unreadable(f"frame {number} of {self.count} is missing in the map of chunks")
            return np.zeros(region.shape, self.look.dtype)
        pixels = self._strided(number).box(region)
        return pixels[::-1] if self.look.is_rgb else pixels

    def _strided(self, number: int) -> Strided:
        start, stop = self.chunks.frame(number)
        if self.look.is_packed:
            data = _unpacked(self.chunks.blob.read(start, stop), self.look.nbytes, number)
            return self.look.strided(lambda start, stop: data[start:stop], 0)
        found = self.look.strided(self.chunks.blob.read, start)
        if found.stop > stop:
            raise Unreadable(f"frame {number} has {stop - start} bytes, not the {self.look.nbytes} of its size")
        return found

    def _ordered(self, sizes: dict[str, int], *, loops: bool) -> Ints:
        counts = {name: count if loops else 1 for name, (count, _) in self.loops.items()}
        return tuple({**counts, **sizes}[name] for name in self.axes)


def _unpacked(data: bytes, size: int, number: int) -> bytes:
    try:
        found = zlib.decompressobj().decompress(data, size)
    except zlib.error as error:
        raise Unreadable(f"frame {number} cannot be unpacked ({error})") from error
    if len(found) < size:
        raise Unreadable(f"frame {number} unpacks to {len(found)} bytes of {size}")
    return found


def look(attributes: Any) -> Shape:
    """What frames look like by the attributes that nd2 decodes; raises Unreadable where that cannot be."""
    bits, components = attributes.bitsPerComponentInMemory, attributes.componentCount
    height, width = attributes.heightPx, attributes.widthPx or 0
    if not all(isinstance(size, int) and 0 < size < 1 << 32 for size in (height, width, components)):
        raise Unreadable(f"frames of {height} rows, {width} columns and {components} components cannot be")
    if bits not in {8, 16, 32}:
        raise Unreadable(f"components of {bits} bits are not supported")
    if attributes.compressionType == "lossy":
        raise Unreadable("frames that are packed with loss are not supported")
    dtype = np.dtype(f"<f{bits // 8}" if attributes.pixelDataType == "float" else f"<u{bits // 8}")
    least = width * components * dtype.itemsize
    row = attributes.widthBytes or least
    is_packed = attributes.compressionType == "lossless"
    if row < least or (is_packed and height * row > LARGEST_FRAME):
        raise Unreadable(f"rows of {row} bytes are not those of {height} rows of {width} pixels")
    is_rgb = components == 3 and (attributes.channelCount or 1) == 1 and dtype.kind == "u"
    return Shape(height, width, components, row, dtype.newbyteorder("="), is_packed, is_rgb)


def frames_apart(counts: list[int]) -> list[int]:
    """How many frames the steps of nested loops are apart, the outermost first."""
    return [prod(counts[k + 1 :]) for k in range(len(counts))]
