"""WebP (RFC 9649), with loss."""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from diascope.encodings.plane import checked
from diascope.errors import Unsupported

LARGEST = 16_383
"""Pixels along a side; RFC 9649, section 2.5."""

FASTEST = 0
"""The method: slower ones save a tenth of the bytes for three times the time."""


def encoded(pixels: NDArray[Any], quality: int = 80) -> bytes:
    """A picture of (y, x) or (y, x, 1, 3 or 4) pixels of 8 bits, in any memory layout; grey becomes RGB."""
    plane = checked(pixels, (1, 3, 4), (8,), "WebP")
    if max(plane.shape[:2]) > LARGEST:
        raise Unsupported(f"a WebP has at most {LARGEST} pixels along a side, not {max(plane.shape[:2])}")
    colours = np.repeat(plane[:, :, None], 3, axis=2) if plane.ndim == 2 else plane
    return bytes(imagecodecs.webp_encode(colours, level=quality, lossless=False, method=FASTEST))
