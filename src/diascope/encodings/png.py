"""PNG (https://www.w3.org/TR/png-3/), without loss.

::

    137 P N G 13 10 26 10
    IHDR  width height bits colour 0 0 0
    IDAT  zlib of, for each row: filter type 4 (Paeth), then each byte less what is foretold by those before and above
    IEND
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from diascope.encodings import deflate
from diascope.encodings.plane import checked

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = Struct(">IIBBBBB")
WORD = Struct(">I")
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Clause 11.2.1, by the number of channels."""


def encoded(pixels: NDArray[Any]) -> bytes:
    """A picture of (y, x) or (y, x, 1 to 4) pixels of 8 or 16 bits without sign, in any memory layout."""
    plane = checked(pixels, (1, 2, 3, 4), (8, 16), "PNG")
    height, width = plane.shape[:2]
    channels = 1 if plane.ndim == 2 else plane.shape[2]
    header = HEADER.pack(width, height, 8 * plane.dtype.itemsize, COLOUR_TYPES[channels], 0, 0, 0)
    data = deflate.encoded(_filtered(plane, channels * plane.dtype.itemsize))
    return b"".join((SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b"")))


def _filtered(plane: NDArray[Any], pixel_size: int) -> NDArray[np.uint8]:
    """The bytes of the filtered rows in a row."""
    from diascope.encodings import deflate_kernel as kernel

    rows = plane.astype(plane.dtype.newbyteorder(">"), copy=False).reshape(len(plane), -1).view(np.uint8)
    # The compiled loops are made anew for arrays that may be written to.
    rows.flags.writeable = False
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    kernel.filtered(rows, pixel_size, out)
    return out.reshape(-1)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = imagecodecs.deflate_crc32(data, imagecodecs.deflate_crc32(name))
    return b"".join((WORD.pack(len(data)), name, data, WORD.pack(checksum)))
