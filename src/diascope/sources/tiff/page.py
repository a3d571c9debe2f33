"""The pixels of one image file directory, a box at a time.

A page has the shape (samples stored apart, depth, rows, columns, samples stored together), as tifffile's ``shaped``.
Nothing is shared between threads but the blob, which is read at any place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.image.stored import Stored
from diascope.sources.distrust import distrust
from diascope.sources.reading.pictures.tiff_compressions import BOUNDED, PACKED_BITS, PICTURES, check_compression
from diascope.sources.tiff import old_jpeg
from diascope.sources.tiff.codecs import decoder
from diascope.sources.tiff.stored import in_file, of_rows, of_segments
from diascope.stores.read_ahead import expect
from diascope.stores.store import Blob

MAX_SEGMENT = 1 << 30
"""Bytes of a decoded strip or tile; more is refused."""

ROW = 1 << 14
"""Bytes of an uncompressed row up to which it is read whole; of longer ones only the columns that are wanted."""

CHUNK = 1 << 19
"""About how many bytes a chunk of uncompressed rows, or of small strips put together, has."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """A directory whose pixels can be read."""

    shape: Ints
    """Five sizes."""
    dtype: np.dtype[Any]
    chunk_shape: Ints
    """Five sizes, in which reading is cheap."""
    read: Callable[[Region], Pixels]
    """The pixels of a box of five axes, perhaps read-only."""
    stored: Stored | None = None
    """Its chunks as they lie in the file, by their places along the five axes; the order is that of these."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Uncompressed rows one after another."""

    blob: Blob
    offset: int
    shape: Ints
    stored: np.dtype[Any]
    """In the byte order of the file."""
    where: str

    def read(self, box: Region) -> Pixels:
        planes = [self._plane(s, d, box) for s, d in product(*map(range, box.start[:2], box.stop[:2]))]
        pixels = planes[0] if len(planes) == 1 else np.stack(planes)
        return pixels.reshape(box.shape)

    def _plane(self, s: int, d: int, box: Region) -> Pixels:
        _, depth, rows, columns, samples = self.shape
        row = columns * samples * self.stored.itemsize
        first = self.offset + ((s * depth + d) * rows + box.start[2]) * row
        count = box.stop[2] - box.start[2]
        if row <= ROW or box.shape[3] == columns:
            whole = self._bytes(first, first + count * row).reshape(count, columns, samples)
            pixels = whole[:, box.start[3] : box.stop[3]]
        else:
            pixel = samples * self.stored.itemsize
            starts = [first + k * row + box.start[3] * pixel for k in range(count)]
            parts = [self._bytes(start, start + box.shape[3] * pixel) for start in starts]
            pixels = np.stack(parts).reshape(count, box.shape[3], samples)
        return pixels[:, :, box.start[4] : box.stop[4]].astype(self.stored.newbyteorder("="), copy=False)

    def _bytes(self, start: int, stop: int) -> Pixels:
        # The size is checked first: what a lying header asks for is never allocated.
        if stop > self.blob.stat.size:
            raise Unreadable(f"{self.where}: its pixels end at byte {stop}, behind the file's {self.blob.stat.size}")
        return np.frombuffer(self.blob.read(start, stop), self.stored)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Strips or tiles that are decoded each as a whole."""

    blob: Blob
    frame: Any
    """A TiffPage or TiffFrame."""
    decode: Callable[..., Any]
    shape: Ints
    dtype: np.dtype[Any]
    segment_shape: Ints
    """Depth, rows and columns."""
    nodata: Any
    tiled: bool
    where: str
    _grid: Ints = field(init=False, repr=False)
    """How many there are along depth, rows and columns."""

    def __post_init__(self) -> None:
        grid = tuple(-(-size // n) for size, n in zip(self.shape[1:4], self.segment_shape, strict=True))
        object.__setattr__(self, "_grid", grid)

    def read(self, box: Region) -> Pixels:
        touched = list(self._touched(box))
        if len(touched) == 1:
            place, pixels = self._segment(touched[0])
            return pixels[box.shifted(place.start).slices]
        expect(self.blob, (self._place(self._index(at)) for at in touched))
        out = np.empty(box.shape, self.dtype)
        for index in touched:
            place, pixels = self._segment(index)
            both = place.intersection(box)
            out[both.shifted(box.start).slices] = pixels[both.shifted(place.start).slices]
        return out

    def _touched(self, box: Region) -> Iterator[Ints]:
        """The samples, and the places in the grid of depth, rows and columns."""
        axes = zip(box.start[1:4], box.stop[1:4], self.segment_shape, strict=True)
        grid = (range(start // size, -(-stop // size)) for start, stop, size in axes)
        return product(range(box.start[0], box.stop[0]), *grid)

    def _segment(self, at: Ints) -> tuple[Region, Pixels]:
        """A segment's place in the page, cut at the page's edges, and its pixels."""
        start = (at[0], *(k * size for k, size in zip(at[1:], self.segment_shape, strict=True)), 0)
        full = Region(
            start, (at[0] + 1, *(a + n for a, n in zip(start[1:4], self.segment_shape, strict=True)), self.shape[4])
        )
        place = full.clipped(self.shape)
        pixels = self._decoded(self._index(at), at)
        if pixels is None:
            return place, np.broadcast_to(np.asarray(self.nodata).astype(self.dtype), place.shape)
        inside = pixels[tuple(map(slice, place.shape[1:]))][np.newaxis]
        if inside.shape != place.shape or self.dtype not in {inside.dtype, np.dtype(np.bool_)}:
            raise Unreadable(
                f"{self.where}, {self._named(at)}: decoded to {pixels.shape} of {pixels.dtype}"
                f" where {place.shape[1:]} of {self.dtype} were declared"
            )
        return place, inside.astype(self.dtype, copy=False)

    def _index(self, at: Ints) -> int:
        deep, down, across = self._grid
        return ((at[0] * deep + at[1]) * down + at[2]) * across + at[3]

    def _decoded(self, index: int, at: Ints) -> Pixels | None:
        data = self._bytes(index, at)
        if data is None:
            return None
        try:
            pixels = self.decode(data, index, jpegtables=self.frame.jpegtables)[0]
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise Unreadable(f"{self.where}, {self._named(at)}: cannot be decoded: {reason}") from error
        return np.asarray(pixels)

    def extent(self, at: Ints) -> tuple[int, int] | None:
        """From which byte to which a segment lies, None where it has none or they are not in the file."""
        start, stop = self._place(self._index(at))
        return (start, stop) if 0 < start < stop <= self.blob.stat.size else None

    def rows_of(self, at: Ints) -> int:
        """How many of a segment's rows the page has."""
        return min(self.segment_shape[1], self.shape[2] - at[2] * self.segment_shape[1])

    def _place(self, index: int) -> tuple[int, int]:
        """From which byte to which a segment lies as the file says, which may not be true."""
        offsets, counts = self.frame.dataoffsets, self.frame.databytecounts
        if index >= min(len(offsets), len(counts)):
            return 0, 0
        return int(offsets[index]), int(offsets[index]) + int(counts[index])

    def _bytes(self, index: int, at: Ints) -> bytes | None:
        """None where the segment is sparse: GDAL and Aperio write tiles of no bytes for those without pixels."""
        offsets, counts = self.frame.dataoffsets, self.frame.databytecounts
        if index >= len(offsets) or index >= len(counts):
            raise Unreadable(f"{self.where}, {self._named(at)}: has no place in the file, only {len(offsets)} have one")
        start, count = int(offsets[index]), int(counts[index])
        if count == 0 and (start == 0 or self.tiled):
            return None
        if not 0 < start < start + count <= self.blob.stat.size:
            raise Unreadable(
                f"{self.where}, {self._named(at)}: bytes {start} to {start + count} do not lie"
                f" in the file's {self.blob.stat.size}"
            )
        return self.blob.read(start, start + count)

    def _named(self, at: Ints) -> str:
        kind = "tile" if self.tiled else "strip"
        return f"{kind} at row {at[2] * self.segment_shape[1]}, column {at[3] * self.segment_shape[2]}"


def page(blob: Blob, frame: Any, where: str) -> Page:
    """The pixels of a TiffPage or TiffFrame; raises Unreadable where its header cannot be true."""
    keyframe = frame.keyframe
    shape = tuple(map(int, keyframe.shaped))
    if keyframe.dtype is None or 0 in shape or not len(frame.dataoffsets):
        raise Unreadable(f"{where}: no pixels, or pixels of an unknown type")
    if keyframe.is_final and frame.is_final:
        return rows(blob, int(frame.dataoffsets[0]), keyframe, where)
    check_compression(int(keyframe.compression), BOUNDED | PICTURES | PACKED_BITS)
    if old_jpeg.is_bare(blob, frame):
        distrust("a JPEG without its headers")
        return _whole(blob, frame, where)
    dtype, decode = decoder(keyframe, where)
    segment_shape = _segment_shape(keyframe, where)
    if prod(segment_shape) * shape[4] * dtype.itemsize > MAX_SEGMENT:
        raise Unreadable(f"{where}: strips or tiles of {segment_shape} pixels, more than {MAX_SEGMENT} bytes each")
    nodata = keyframe.nodata
    segments = Segments(blob, frame, decode, shape, dtype, segment_shape, nodata, bool(keyframe.is_tiled), where)
    chunk = (1, *_grouped(segment_shape, shape, dtype), shape[4])
    stored = of_segments(segments, keyframe, chunk)
    return Page(shape=shape, dtype=dtype, chunk_shape=chunk, read=segments.read, stored=stored)


def _whole(blob: Blob, frame: Any, where: str) -> Page:
    """A page that is one chunk."""
    shape = tuple(map(int, frame.keyframe.shaped))
    if prod(shape) > MAX_SEGMENT:
        raise Unreadable(f"{where}: an old-style JPEG of more than {MAX_SEGMENT} bytes")
    return Page(
        shape=shape,
        dtype=frame.keyframe.dtype,
        chunk_shape=shape,
        read=lambda box: old_jpeg.decoded(blob, frame, where)[box.slices],
    )


def rows(blob: Blob, offset: int, keyframe: Any, where: str) -> Page:
    """The pixels of an uncompressed page that begin at this byte."""
    shape = tuple(map(int, keyframe.shaped))
    stored = in_file(keyframe)
    row = shape[3] * shape[4] * stored.itemsize
    columns = shape[3] if row <= ROW else max(1, ROW // (shape[4] * stored.itemsize))
    count = max(1, min(shape[2], CHUNK // min(row, ROW)))
    chunk = (1, 1, count, columns, shape[4])
    found = Rows(blob, offset, shape, stored, where)
    return Page(
        shape=shape,
        dtype=stored.newbyteorder("="),
        chunk_shape=chunk,
        read=found.read,
        stored=of_rows(found, chunk),
    )


def _segment_shape(keyframe: Any, where: str) -> Ints:
    if keyframe.is_tiled:
        sizes = (keyframe.tiledepth, keyframe.tilelength, keyframe.tilewidth)
    else:
        sizes = (1, min(keyframe.rowsperstrip, keyframe.imagelength), keyframe.imagewidth)
    if not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
        raise Unreadable(f"{where}: strips or tiles of {sizes} pixels")
    return tuple(map(int, sizes))


def _grouped(segment_shape: Ints, shape: Ints, dtype: np.dtype[Any]) -> Ints:
    """Segments put together along the rows until a chunk is worth keeping."""
    depth, count, columns = segment_shape
    size = prod(segment_shape) * shape[4] * dtype.itemsize
    together = max(1, CHUNK // 8 // size)
    return (depth, min(count * together, -(-shape[2] // count) * count), columns)
