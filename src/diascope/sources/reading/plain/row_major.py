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

GAP = 1 << 14
"""Rows are read with at most so many bytes between them: another read costs more."""

SAMPLES = 4
"""A row is of pixels of at most so many."""


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
        native = self.dtype.newbyteorder("=")
        if 0 in region.shape:
            return np.empty(region.shape, native)
        axis = self._axis_of_runs(region.shape)
        count, behind, inner = region.shape[axis], self.shape[axis + 1 :], region.slices[axis + 1 :]
        runs = list(self._runs(region.start, region.shape[:axis], axis))
        if len(runs) == 1:
            run = self._run(runs[0], count * prod(behind)).reshape(count, *behind)
            return run[(slice(None), *inner)].astype(native, copy=False).reshape(region.shape)
        out = np.empty(region.shape, native)
        flat = out.reshape(len(runs), count, *region.shape[axis + 1 :])
        for k, first in enumerate(runs):
            flat[k] = self._run(first, count * prod(behind)).reshape(count, *behind)[(slice(None), *inner)]
        return out

    def _axis_of_runs(self, shape: Ints) -> int:
        """Runs are of neighbours along it; what lies behind it is read as a whole, more than is asked of short rows."""
        whole = [size == full for size, full in zip(shape, self.shape, strict=True)]
        axis = _last_partial(whole)
        samples = prod(self.shape[axis + 1 :])
        gap = (self.shape[axis] - shape[axis]) * samples * self.dtype.itemsize
        is_row = samples <= SAMPLES and prod(shape[:axis]) > 1
        return _last_partial(whole[:axis]) if is_row and gap <= GAP else axis

    def _runs(self, start: Ints, outer: Ints, axis: int) -> Iterator[int]:
        """The first pixel of each run, in C order."""
        strides = [prod(self.shape[d + 1 :]) for d in range(axis + 1)]
        origin = sum(i * stride for i, stride in zip(start, strides, strict=False))
        for index in product(*map(range, outer)):
            yield origin + sum(i * stride for i, stride in zip(index, strides, strict=False))

    def _run(self, first: int, count: int) -> Pixels:
        size = self.dtype.itemsize
        start = self.start + first * size
        data = self.read(start, start + count * size)
        if len(data) < count * size:
            raise Unreadable(f"the pixels end after {len(data)} of {count * size} bytes at {start}")
        return np.frombuffer(data, self.dtype, count)


def _last_partial(whole: list[bool]) -> int:
    """The last axis that is not whole, or the first one."""
    return next((axis for axis in range(len(whole) - 1, -1, -1) if not whole[axis]), 0)


def plane_chunk_shape(shape: Ints, itemsize: int, target: int = 1 << 20) -> Ints:
    """Runs of whole rows of one plane of about ``target`` bytes, and several planes of a volume where one is smaller.

    The last two axes are rows and columns, the one before them planes that lie behind one another in the file.
    """
    row = max(shape[-1] * itemsize, 1)
    rows = min(shape[-2], max(target // row, 1))
    planes = min(shape[-3], max(target // (row * rows), 1)) if len(shape) > 2 and rows == shape[-2] else 1
    leading = (1,) * max(len(shape) - 3, 0) + ((planes,) if len(shape) > 2 else ())
    return (*leading, max(rows, 1), max(shape[-1], 1))
