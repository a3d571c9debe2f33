"""Boxes of an array that lies in a file as plain bytes in C order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region

ReadBytes: TypeAlias = Callable[[int, int], bytes]

WHOLE_ROW = 1 << 14
"""Rows of at most so many bytes are read whole: another read costs more than the bytes between."""


@dataclass(frozen=True, slots=True)
class RowMajor:
    """An array of ``shape`` whose first byte lies at ``start``."""

    read: ReadBytes
    start: int
    shape: Ints
    dtype: np.dtype[Any]
    """As stored, in either byte order."""

    def box(self, region: Region) -> Pixels:
        """The pixels of a region, in the byte order of the machine; only the runs of rows that it touches are read."""
        wide = self._with_short_rows_whole(region)
        runs = list(self._runs(wide))
        native = self.dtype.newbyteorder("=")
        if len(runs) == 1:
            pixels = self._run(*runs[0]).astype(native, copy=False)
        else:
            pixels = np.empty(prod(wide.shape), native)
            at = 0
            for first, count in runs:
                pixels[at : at + count] = self._run(first, count)
                at += count
        return pixels.reshape(wide.shape)[region.shifted(wide.start).slices]

    def _with_short_rows_whole(self, region: Region) -> Region:
        if self.shape[-1] * self.dtype.itemsize > WHOLE_ROW or 0 in region.shape:
            return region
        return Region((*region.start[:-1], 0), (*region.stop[:-1], self.shape[-1]))

    def _runs(self, region: Region) -> Iterator[tuple[int, int]]:
        """The first pixel and the number of pixels of each run that lies in one piece, in C order."""
        if 0 in region.shape:
            return
        axis = len(self.shape) - 1
        while axis > 0 and region.shape[axis] == self.shape[axis]:
            axis -= 1
        strides = [prod(self.shape[d + 1 :]) for d in range(len(self.shape))]
        count = region.shape[axis] * strides[axis]
        outer = (range(start, stop) for start, stop in zip(region.start[:axis], region.stop[:axis], strict=True))
        for index in product(*outer):
            places = zip((*index, region.start[axis]), strides, strict=False)
            yield sum(i * stride for i, stride in places), count

    def _run(self, first: int, count: int) -> Pixels:
        size = self.dtype.itemsize
        start = self.start + first * size
        data = self.read(start, start + count * size)
        if len(data) < count * size:
            raise Unreadable(f"the pixels end after {len(data)} of {count * size} bytes at {start}")
        return np.frombuffer(data, self.dtype, count)


def plane_chunk_shape(shape: Ints, itemsize: int, target: int = 1 << 20) -> Ints:
    """Runs of whole rows of one plane of about ``target`` bytes, and several planes of a volume where one is smaller.

    The last two axes are rows and columns, the one before them planes that lie behind one another in the file.
    """
    row = max(shape[-1] * itemsize, 1)
    rows = min(shape[-2], max(target // row, 1))
    planes = min(shape[-3], max(target // (row * rows), 1)) if len(shape) > 2 and rows == shape[-2] else 1
    leading = (1,) * max(len(shape) - 3, 0) + ((planes,) if len(shape) > 2 else ())
    return (*leading, max(rows, 1), max(shape[-1], 1))
