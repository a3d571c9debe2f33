"""JPEG (https://www.w3.org/Graphics/JPEG/itu-t81.pdf), with loss."""

from __future__ import annotations

from typing import Any

import imagecodecs
from numpy.typing import NDArray

from diascope.encodings.plane import checked, packed
from diascope.errors import Unsupported

LARGEST = 65_500
"""Pixels along a side; libjpeg-turbo's limit."""


def encoded(pixels: NDArray[Any], quality: int = 85) -> bytes:
    """A picture of (y, x) or (y, x, 1, 3 or 4) pixels of 8 bits, in any memory layout.

    Colours are stored as YCbCr with halved chroma; opacity, for which there is no place, is left out.
    """
    plane = checked(pixels, (1, 3, 4), (8,), "JPEG")
    if max(plane.shape[:2]) > LARGEST:
        raise Unsupported(f"a JPEG has at most {LARGEST} pixels along a side, not {max(plane.shape[:2])}")
    colours = packed(plane[:, :, :3]) if plane.ndim == 3 else plane
    return bytes(imagecodecs.jpeg8_encode(colours, level=quality))
