"""Boxes of an array that lies in a file as plain bytes, its axes in any order and at any distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import mul
from typing import Any, TypeAlias

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region

ReadBytes: TypeAlias = Callable[[int, int], bytes]
"""The bytes from start to stop, fewer where they end sooner."""

GAP = 1 << 13
"""Pixels are read with what lies between them where that is no more bytes: another read costs more."""

PIECE = 3 << 15
"""And as many of them together as make no more bytes than this, which processor and allocator have at hand."""


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
        native = self.dtype.newbyteorder("=")
        if 0 in region.shape:
            return np.empty(region.shape, native)
        at = self.start + sum(map(mul, region.start, self.strides))
        slowest = sorted(range(len(self.strides)), key=self.strides.__getitem__, reverse=True)
        strides = tuple(self.strides[d] for d in slowest)
        rank, count = self._together([region.shape[d] for d in slowest], strides)
        if (rank, count) == (len(slowest), region.shape[slowest[0]]):
            size = _extent(region.shape, self.strides, self.dtype.itemsize)
            return self._read(at, size, region.shape, self.strides).astype(native, copy=False)
        out = np.empty(region.shape, native)
        self._fill(out.transpose(slowest), at, strides, rank, count)
        return out

    def _fill(self, out: Pixels, at: int, strides: Ints, rank: int, count: int) -> None:
        """Read into an array what lies from a place on: its last axes so many at once, and along the first of these."""
        first, behind = strides[0], strides[1:]
        if out.ndim > rank:
            for k in range(len(out)):
                self._fill(out[k], at + k * first, behind, rank, count)
            return
        extent = _extent(out.shape[1:], behind, self.dtype.itemsize)
        for k in range(0, len(out), count):
            part = out[k : k + count]
            part[...] = self._read(at + k * first, extent + (len(part) - 1) * first, part.shape, strides)

    def _read(self, at: int, size: int, shape: Ints, strides: Ints) -> Pixels:
        data = self.read(at, at + size)
        if len(data) < size:
            raise Unreadable(f"the pixels end after {len(data)} of {size} bytes at {at}")
        return np.ndarray(shape, self.dtype, data, 0, strides)

    def _together(self, shape: list[int], strides: Ints) -> tuple[int, int]:
        """How many of the last axes are got by one read, and how many pixels along the first of these.

        Together is read what lies without gaps, or with small ones in a piece.
        """
        extent = self.dtype.itemsize
        for rank in range(1, len(shape) + 1):
            size, stride = shape[-rank], strides[-rank]
            if size > 1 and stride - extent > GAP:
                return (rank - 1, shape[1 - rank]) if rank > 1 else (1, 1)
            count = max((PIECE - extent) // stride + 1, 1) if stride > extent else size
            if count < size:
                return rank, count
            extent += (size - 1) * stride
        return len(shape), shape[0]


def _extent(shape: Ints, strides: Ints, itemsize: int) -> int:
    return sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True)) + itemsize
