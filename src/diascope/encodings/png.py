"""PNG (https://www.w3.org/TR/png-3/), without loss.

::

    137 P N G 13 10 26 10
    IHDR  width height bits colour 0 0 0
    IDAT  zlib of, for each row: filter type 2 (Up), then each byte less the one above it
    IEND
"""

from __future__ import annotations

import zlib
from struct import Struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from diascope.encodings.plane import checked

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = Struct(">IIBBBBB")
WORD = Struct(">I")
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Clause 11.2.1, by the number of channels."""
UP = 2


def encoded(pixels: NDArray[Any]) -> bytes:
    """A picture of (y, x) or (y, x, 1 to 4) pixels of 8 or 16 bits without sign, in any memory layout."""
    plane = checked(pixels, (1, 2, 3, 4), (8, 16), "PNG")
    height, width = plane.shape[:2]
    channels = 1 if plane.ndim == 2 else plane.shape[2]
    header = HEADER.pack(width, height, 8 * plane.dtype.itemsize, COLOUR_TYPES[channels], 0, 0, 0)
    # ISA-L would take half the time of libdeflate, but was seen to give other bytes for the same pixels.
    data = bytes(imagecodecs.deflate_encode(_filtered(plane).tobytes(), level=1))
    return b"".join((SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b"")))


def _filtered(plane: NDArray[Any]) -> NDArray[np.uint8]:
    rows = plane.astype(plane.dtype.newbyteorder(">"), copy=False).reshape(len(plane), -1).view(np.uint8)
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    out[:, 0] = UP
    out[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=out[1:, 1:])
    return out


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return b"".join((WORD.pack(len(data)), name, data, WORD.pack(checksum)))
