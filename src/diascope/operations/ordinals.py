"""Unsigned integers in the order of pixels: whatever the type, they are compared alike, NaN being the largest."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.level import Pixels


def ordinals(pixels: Pixels) -> Pixels:
    """Of as many bytes as the pixels; both zeros of floats are one, and so are all NaN."""
    dtype = pixels.dtype
    unsigned = np.dtype(f"u{dtype.itemsize}")
    top = unsigned.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind in "ub":
        return np.asarray(pixels.view(unsigned))
    if dtype.kind == "i":
        return np.asarray(pixels.view(unsigned) ^ top)
    bits = np.where(np.isnan(pixels), dtype.type(np.nan), pixels + dtype.type(0)).view(unsigned)
    return np.asarray(np.where(bits & top, ~bits, bits | top))


def values(ordinals: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """The pixels that ordinals were made of."""
    top = ordinals.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind in "ub":
        return np.asarray(ordinals.view(dtype))
    if dtype.kind == "i":
        return np.asarray(ordinals ^ top).view(dtype)
    return np.asarray(np.where(ordinals & top, ordinals ^ top, ~ordinals)).view(dtype)
