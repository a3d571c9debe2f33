"""Blosc, read back by numcodecs."""

from __future__ import annotations

from typing import Any

import numcodecs
import numpy as np
import pytest

from diascope.encodings import blosc


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float16", "float64", "complex128"])
def test_every_pixel_comes_back(dtype: Any) -> None:
    pixels = (np.arange(3 * 5 * 7).reshape(3, 5, 7) % 100).astype(dtype)
    frame = blosc.encoded(pixels.transpose(2, 0, 1))
    assert numcodecs.Blosc().decode(frame) == pixels.transpose(2, 0, 1).tobytes()
    assert frame[3] == pixels.dtype.itemsize, "bytes are shuffled by the size of a pixel"


def test_smooth_pixels_become_smaller() -> None:
    pixels = np.arange(64**3, dtype=np.uint32).reshape(64, 64, 64)
    assert len(blosc.encoded(pixels)) < pixels.nbytes / 4
