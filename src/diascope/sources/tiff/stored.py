"""The strips and tiles of TIFF as they lie in the file, where that is a codec alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from diascope.image.region import Ints
from diascope.image.stored import Stored
from diascope.sources.reading.packed.sound import is_sound
from diascope.sources.reading.pictures.jpeg_stream import Streams
from diascope.stores.local import LocalBlob

if TYPE_CHECKING:
    from diascope.sources.tiff.fold import Fold
    from diascope.sources.tiff.page import Rows, Segments

RAW, JPEG = 1, 7
CODECS = {RAW: "raw", 8: "zlib", 32946: "zlib", 50000: "zstd"}
"""Of which the bytes are the pixels' own; predictors come on top."""
PLAIN = 1
"""Of the tags Predictor, FillOrder and PlanarConfiguration."""
COMPLEX_INTEGERS = 5
FIRST = (0, 0, 0, 0, 0)
GREY, COLOURS = frozenset({0, 1}), frozenset({2, 6})
"""Photometric interpretations: white or black is zero; RGB or YCbCr."""


def of_segments(segments: Segments, keyframe: Any, chunk_shape: Ints) -> Stored | None:
    """By samples, depth, rows and columns of the grid; None where a chunk is not one strip or tile as it is stored."""
    size = segments.segment_shape
    if chunk_shape[1:4] != size or any(n > have for n, have in zip(size, segments.shape[1:4], strict=True)):
        return None
    if keyframe.compression == JPEG:
        return _jpeg(segments, keyframe)
    codec = CODECS.get(int(keyframe.compression))
    plain = keyframe.predictor == PLAIN and keyframe.fillorder == PLAIN and not keyframe.is_subsampled
    if codec is None or not plain or not _is_of_bytes(keyframe) or keyframe._dtype.itemsize != segments.dtype.itemsize:  # noqa: SLF001
        return None
    packed = Packed(segments, codec)
    return Stored(
        codec=codec,
        dtype=in_file(keyframe),
        order="",
        is_padded=segments.tiled,
        chunk=packed.bytes,
        extent=packed.extent if codec == "raw" else None,
        read=segments.blob.read if codec == "raw" else None,
        is_near=isinstance(segments.blob, LocalBlob),
    )


def of_rows(rows: Rows, chunk_shape: Ints) -> Stored | None:
    """Of uncompressed rows that chunks have whole."""
    if chunk_shape[3] != rows.shape[3]:
        return None
    blob, shape = rows.blob, rows.shape
    row = prod(shape[3:]) * rows.stored.itemsize

    def extent(at: Ints) -> tuple[int, int] | None:
        first = at[2] * chunk_shape[2]
        start = rows.offset + ((at[0] * shape[1] + at[1]) * shape[2] + first) * row
        stop = start + min(chunk_shape[2], shape[2] - first) * row
        return (start, stop) if stop <= blob.stat.size else None

    def chunk(at: Ints) -> bytes | None:
        place = extent(at)
        return blob.read(*place) if place else None

    return Stored(
        codec="raw",
        dtype=rows.stored,
        order="",
        is_padded=False,
        chunk=chunk,
        extent=extent,
        read=blob.read,
        is_near=isinstance(blob, LocalBlob),
    )


def of_level(folded: Fold) -> Stored | None:
    """Those of a stack of pages by their places in the image's grid; None where an axis is made of several."""
    stack = folded.stack
    first = stack.stored
    if first is None or any(len(group) != 1 for group in folded.members):
        return None
    place_of = {group[0]: k for k, group in enumerate(folded.members)}
    leading = [(place_of[d], stack.dims[d].size) for d in range(stack.leading)]
    inner = [(at, place_of[stack.leading + k]) for k, at in enumerate(stack.page_dims)]

    def of_page(index: Ints) -> tuple[Stored | None, Ints]:
        number, at = 0, [0] * 5
        for place, size in leading:
            number = number * size + index[place]
        for dim, place in inner:
            at[dim] = index[place]
        page = stack.page(number)
        found = page.stored if page else None
        return (found if found is first or (found and _is_like(found, first)) else None), tuple(at)

    def chunk(index: Ints) -> bytes | None:
        stored, at = of_page(index)
        return stored.chunk(at) if stored else None

    def extent(index: Ints) -> tuple[int, int] | None:
        stored, at = of_page(index)
        # Pages may lie in several files, and one reader gives the bytes of one.
        return stored.extent(at) if stored and stored.extent and stored.read == first.read else None

    order = "".join(folded.names[place] for _, place in inner)
    return replace(first, order=order, chunk=chunk, extent=first.extent and extent)


def _is_like(one: Stored, other: Stored) -> bool:
    return (one.codec, one.dtype, one.is_padded) == (other.codec, other.dtype, other.is_padded)


def in_file(keyframe: Any) -> np.dtype[Any]:
    """The type of a page's pixels in the byte order of the file."""
    # Booleans of a byte each and 8-bit integers have no byte order, which numpy spells "|".
    stored: np.dtype[Any] = np.dtype(keyframe.parent.byteorder + keyframe._dtype.char)  # noqa: SLF001
    return stored


def _is_of_bytes(keyframe: Any) -> bool:
    """Whether samples are not packed into bits."""
    bits = 8 * keyframe._dtype.itemsize  # noqa: SLF001
    return bool(keyframe.sampleformat != COMPLEX_INTEGERS and keyframe.bitspersample == bits)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Segments that are a codec's bytes of their pixels."""

    segments: Segments
    codec: str

    def bytes(self, at: Ints) -> bytes | None:
        """None where a segment is missing, is not in the file, or seems to hold other pixels than belong there."""
        if self.codec == "zlib" and not self.segments.tiled and self.segments.rows_of(at) < self._rows:
            # The last strip may hold rows that the page has not, and the stream does not tell.
            return None
        place, size = self.extent(at), self._size(at)
        data = self.segments.blob.read(*place) if place else b""
        return data if place and is_sound(self.codec, data, size) else None

    def extent(self, at: Ints) -> tuple[int, int] | None:
        """From which byte to which it lies, of raw pixels without what writers fill it up with."""
        place = self.segments.extent(at)
        if place is None or self.codec != "raw":
            return place
        stop = place[0] + self._size(at)
        return (place[0], stop) if stop <= place[1] else None

    @property
    def _rows(self) -> int:
        return self.segments.segment_shape[1]

    def _size(self, at: Ints) -> int:
        """Bytes of the pixels: of a last strip those that the page has."""
        depth, _, wide = self.segments.segment_shape
        high = self._rows if self.segments.tiled else self.segments.rows_of(at)
        return depth * high * wide * self.segments.shape[4] * self.segments.dtype.itemsize


def _jpeg(segments: Segments, keyframe: Any) -> Stored | None:
    """Colours and grey of eight bits, decoded as tifffile does."""
    samples = segments.shape[4]
    photometric = int(keyframe.photometric)
    known = (samples == 1 and photometric in GREY) or (samples == 3 and photometric in COLOURS)
    plain = keyframe.planarconfig == PLAIN or samples == 1 == segments.shape[0]
    if not known or not plain or keyframe.extrasamples or keyframe.bitspersample != 8 or segments.segment_shape[0] != 1:
        return None
    if segments.dtype != np.uint8 or keyframe.jpegheader is not None:
        return None
    is_rgb = photometric == 2 and not keyframe.is_jfif
    streams = Streams(samples, segments.frame.jpegtables, is_rgb=is_rgb)
    chunk, is_near = _standing_alone(segments, streams), isinstance(segments.blob, LocalBlob)
    # Tiles are of one writer: where the first one is not plain, the others are not tried each time.
    if is_near and segments.extent(FIRST) and chunk(FIRST) is None:
        return None
    return Stored(
        codec="jpeg",
        dtype=segments.dtype,
        order="",
        is_padded=segments.tiled,
        chunk=chunk,
        is_near=is_near,
    )


def _standing_alone(segments: Segments, streams: Streams) -> Callable[[Ints], bytes | None]:
    read, whole, (_, high, wide) = segments.blob.read, streams.whole, segments.segment_shape

    def chunk(at: Ints) -> bytes | None:
        place = segments.extent(at)
        if place is None:
            return None
        return whole(read(*place), high if segments.tiled else segments.rows_of(at), wide)

    return chunk
