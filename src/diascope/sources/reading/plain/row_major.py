"""Boxes of an array that lies in a file as plain bytes in C order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.reading.plain.strided import ReadBytes, Strided

__all__ = ["ReadBytes", "RowMajor", "plane_chunk_shape"]


@dataclass(frozen=True, slots=True)
class RowMajor:
    """An array of ``shape`` whose first byte lies at ``start``."""

    read: ReadBytes
    start: int
    shape: Ints
    dtype: np.dtype[Any]
    """As stored, in either byte order."""

    def box(self, region: Region) -> Pixels:
        """The pixels of a region, in the byte order of the machine; only what it touches is read, and small gaps."""
        sizes = (*self.shape[1:], self.dtype.itemsize)
        strides = tuple(accumulate(reversed(sizes), mul))[::-1]
        return Strided(self.read, self.start, self.shape, strides, self.dtype).box(region)


def plane_chunk_shape(shape: Ints, itemsize: int, target: int = 1 << 20) -> Ints:
    """Runs of whole rows of one plane of about ``target`` bytes, and several planes of a volume where one is smaller.

    The last two axes are rows and columns, the one before them planes that lie behind one another in the file.
    """
    row = max(shape[-1] * itemsize, 1)
    rows = min(shape[-2], max(target // row, 1))
    planes = min(shape[-3], max(target // (row * rows), 1)) if len(shape) > 2 and rows == shape[-2] else 1
    leading = (1,) * max(len(shape) - 3, 0) + ((planes,) if len(shape) > 2 else ())
    return (*leading, max(rows, 1), max(shape[-1], 1))
