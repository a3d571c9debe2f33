"""Boxes of an array that lies in a file as plain bytes, its axes in any order and at any distances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.reading.plain.row_major import ReadBytes

GAP = 1 << 14
"""Pixels are read with what lies between them where that is no more bytes: another read costs more."""

LARGEST = 1 << 24
"""As long as they are no more bytes together than this."""


@dataclass(frozen=True, slots=True)
class Strided:
    """An array of ``shape`` whose pixel 0 begins at ``start``."""

    read: ReadBytes
    start: int
    shape: Ints
    strides: Ints
    """How many bytes neighbours along each axis are apart, none of them negative."""
    dtype: np.dtype[Any]
    """As stored, in either byte order."""

    @property
    def stop(self) -> int:
        """Where the last pixel ends."""
        return self.start + _extent(self.shape, self.strides, self.dtype.itemsize)

    def box(self, region: Region) -> Pixels:
        """The pixels of a region, in the byte order of the machine; raises Unreadable where the file ends before."""
        out = np.empty(region.shape, self.dtype.newbyteorder("="))
        if 0 in region.shape:
            return out
        inner = self._read_together(region.shape)
        spans = [(0,) if d in inner else range(size) for d, size in enumerate(region.shape)]
        first = self.start + sum(i * stride for i, stride in zip(region.start, self.strides, strict=True))
        shape = tuple(size if d in inner else 1 for d, size in enumerate(region.shape))
        for index in product(*spans):
            at = first + sum(i * stride for i, stride in zip(index, self.strides, strict=True))
            key = tuple(slice(None) if d in inner else slice(i, i + 1) for d, i in enumerate(index))
            out[key] = self._piece(at, shape)
        return out

    def _piece(self, at: int, shape: Ints) -> Pixels:
        size = _extent(shape, self.strides, self.dtype.itemsize)
        data = self.read(at, at + size)
        if len(data) < size:
            raise Unreadable(f"the pixels end after {len(data)} of {size} bytes at {at}")
        return np.ndarray(shape, self.dtype, data, 0, self.strides)

    def _read_together(self, shape: Ints) -> set[int]:
        """The axes whose pixels are got by one read."""
        inner: set[int] = set()
        extent = self.dtype.itemsize
        for d in sorted(range(len(shape)), key=lambda d: self.strides[d]):
            grown = extent + (shape[d] - 1) * self.strides[d]
            if shape[d] > 1 and (self.strides[d] - extent > GAP or (self.strides[d] > extent and grown > LARGEST)):
                break
            inner.add(d)
            extent = grown
        return inner


def _extent(shape: Ints, strides: Ints, itemsize: int) -> int:
    return sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True)) + itemsize
