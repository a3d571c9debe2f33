"""The pixels of one subblock: found in its segment, and decoded.

The data of a ZISRAWSUBBLOCK::

    metadata size:4  attachment size:4  data size:8  entry:32 + 20 per dimension, up to byte 256 at least
    metadata  data  attachment
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from struct import unpack
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Region
from diascope.sources.czi.codecs import UNCOMPRESSED, decoded
from diascope.sources.czi.segments import HEADER
from diascope.sources.reading.plain.row_major import RowMajor
from diascope.stores.store import Blob

SIZES = 16
ENTRY, DIMENSION = 32, 20
SHORTEST = 256
"""Bytes from the beginning of a segment's data to the metadata, at the least."""

AT_ONCE = 1 << 22
"""A segment of at most so many bytes is read by one request."""

MOST_BYTES = 1 << 30
"""The pixels of a larger subblock are refused, where all of them would have to be decoded at once."""

PARTLY = 1 << 20
"""Of larger plain pixels only the rows that are asked for are read."""


@dataclass(frozen=True, slots=True)
class Subblock:
    """Where one lies, and what it holds."""

    blob: Blob
    start: int
    stop: int
    """Where the next segment starts, or the file stops."""
    shape: tuple[int, ...]
    """Rows, columns and, where there are several, samples."""
    dtype: np.dtype[Any]
    """Little-endian."""
    compression: int

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    @property
    def is_plain(self) -> bool:
        """Whether a part of it can be read alone, and should."""
        return self.compression == UNCOMPRESSED and self.nbytes > PARTLY

    def pixels(self) -> Pixels:
        """All of them, in the machine's byte order."""
        if self.nbytes > MOST_BYTES:
            raise Unreadable(f"a subblock of {self.nbytes} bytes of pixels is over the limit of {MOST_BYTES}")
        return decoded(self._data(), self.compression, self.shape, self.dtype)

    def part(self, rows: slice, columns: slice) -> Pixels:
        """Some of a plain one."""
        start, stop = self._span(self.blob.read(self.start, self.start + HEADER + SIZES + ENTRY))
        if stop - start < self.nbytes:
            raise Unreadable(f"{stop - start} bytes cannot hold a subblock of {self.nbytes}")
        rest = self.shape[2:]
        box = Region((rows.start, columns.start, *(0,) * len(rest)), (rows.stop, columns.stop, *rest))
        return RowMajor(self.blob.read, start, self.shape, self.dtype).box(box)

    def _data(self) -> bytes | memoryview:
        is_small = self.stop - self.start <= AT_ONCE
        first = self.blob.read(self.start, self.stop if is_small else self.start + HEADER + SIZES + ENTRY)
        start, stop = self._span(first)
        if stop - self.start <= len(first):
            inside = slice(start - self.start, stop - self.start)
            return memoryview(first)[inside] if self.compression == UNCOMPRESSED else first[inside]
        data = self.blob.read(start, stop)
        if len(data) < stop - start:
            raise Unreadable(f"a subblock ends after {len(data)} of {stop - start} bytes")
        return data

    def _span(self, first: bytes) -> tuple[int, int]:
        """Where in the file the data start and stop."""
        if len(first) < HEADER + SIZES + ENTRY or not first.startswith(b"ZISRAWSUBBLOCK\0"):
            raise Unreadable(f"there is no subblock at byte {self.start}")
        metadata, attachment, size = unpack("<iiq", first[HEADER : HEADER + SIZES])
        (dimensions,) = unpack("<i", first[HEADER + SIZES + ENTRY - 4 : HEADER + SIZES + ENTRY])
        fixed = max(SHORTEST, SIZES + ENTRY + DIMENSION * dimensions)
        start = self.start + HEADER + fixed + metadata
        if min(metadata, attachment, size, dimensions) < 0 or start + size > self.blob.stat.size:
            raise Unreadable(f"the subblock at byte {self.start} does not end where the file does")
        return start, start + size
