"""Blocks of N5 datasets (https://github.com/saalfeldlab/n5#file-system-specification).

Big-endian, the pixels packed with gzip, x fastest; at the upper edges a block ends with the level ::

    0   2      0: an array of plain pixels
    2   2      n, how many axes
    4   4 n    the sizes, x first
        …      the pixels
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.encodings import gzip

PLAIN = 0
"""The mode of a block that has one value a pixel."""


def block(pixels: NDArray[Any], dtype: np.dtype[Any]) -> bytes:
    """The bytes of a block of these pixels, stored as this type."""
    head = struct.pack(f">HH{pixels.ndim}I", PLAIN, pixels.ndim, *pixels.shape[::-1])
    return head + gzip.encoded(pixels.astype(dtype.newbyteorder(">")).tobytes())
