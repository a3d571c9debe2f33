"""The pixels that picture encodings take: grey, grey with opacity, RGB or RGB with opacity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unsupported


def checked(pixels: NDArray[Any], channels: tuple[int, ...], bits: tuple[int, ...], title: str) -> NDArray[Any]:
    """The pixels in C order, a channel axis of length one left out.

    Raises Unsupported where there is another number of channels or another pixel type than the encoding has.
    """
    plane = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    count = 1 if plane.ndim == 2 else plane.shape[2] if plane.ndim == 3 else 0
    if count not in channels or plane.dtype.kind != "u" or 8 * plane.dtype.itemsize not in bits or 0 in plane.shape:
        raise Unsupported(f"{title} cannot hold pixels of the shape {pixels.shape} and the type {pixels.dtype}")
    return packed(plane)


def packed(plane: NDArray[Any]) -> NDArray[Any]:
    """The same array in C order, with the strides that its shape implies."""
    # Axes of length one may keep any stride in an array that counts as contiguous, which imagecodecs does not take.
    return np.ascontiguousarray(plane).reshape(-1).reshape(plane.shape)
