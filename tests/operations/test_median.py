"""Medians are scipy's, at every level and of every type."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import median_filter

from diascope.errors import Unsupported
from diascope.image.level import read_whole
from diascope.operations.ball import ball
from tests.operations.footprints import about, footprint
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.judge
@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("axes", ["yx", "zyx"])
@pytest.mark.parametrize("radius", [0.5, 2.1])
def test_scipy_finds_the_same(dtype, axes, radius):
    pixels = noise((5, 30, 41), "i8", 60_000)
    pixels = pixels.astype(dtype) if dtype in {"?", "u1", "u2", "u4"} else (pixels - 30_000).astype(dtype)
    image = pictured(pixels, "zyx", scale=(2.0, 0.5, 0.25), levels=2)
    for k, level in enumerate(image.levels):
        expected = median_filter(read_whole(level), footprint=about(image, k, radius, axes), mode="nearest")
        got = seen(f"median,radius={radius},axes={axes}", image, k)
        assert got.dtype == pixels.dtype
        np.testing.assert_array_equal(got, expected)


@pytest.mark.judge
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
@pytest.mark.parametrize("radius", [5, 8.6, 9.1, 19])
def test_scipy_finds_the_same_of_many(dtype, radius):
    pixels = noise((40, 50), "i8", 60_000).astype(dtype)
    expected = median_filter(pixels, footprint=footprint(ball((1 / radius,) * 2))[0], mode="nearest")
    np.testing.assert_array_equal(seen(f"median,radius={radius}", pictured(pixels, "yx")), expected)


def test_nan_is_the_largest_and_infinities_are_in_order():
    pixels = np.array([[1, np.nan, -np.inf, np.inf, -0.0, 2, np.nan, np.nan, 3]], np.float32)
    padded = np.pad(pixels, ((0, 0), (1, 1)), mode="edge")[0]
    image = pictured(np.repeat(pixels, 5, axis=0), "yx", scale=(10.0, 1.0))
    # Rows lie too far apart, so that three pixels are compared.
    expected = [np.sort(padded[i : i + 3])[1] for i in range(9)]
    np.testing.assert_array_equal(seen("median,radius=1.2", image)[2], expected)


@pytest.mark.parametrize("dtype", ["u8", "i8", "f8"])
def test_all_bits_count(dtype):
    largest = 1e300 if dtype == "f8" else np.iinfo(dtype).max
    for value in (largest, 0, 1, -1 if dtype != "u8" else largest - 1):
        pixels = np.full((5, 5), value, dtype)
        pixels[2, 2] = largest // 2
        np.testing.assert_array_equal(seen("median,radius=1", pictured(pixels, "yx")), np.full((5, 5), value, dtype))


def test_opacity_is_kept():
    image = pictured(noise((4, 20, 30), "u1", 255), "cyx", kind="rgb")
    made = seen("median,radius=2", image)
    np.testing.assert_array_equal(made[3], image[3])
    assert (made[:3] != image[:3]).any()


def test_names_and_complex_numbers_have_no_order():
    with pytest.raises(Unsupported, match="names"):
        seen("median,radius=1", pictured(noise((4, 5)), "yx", kind="labels"))
    with pytest.raises(Unsupported, match="order"):
        seen("median,radius=1", pictured(noise((4, 5), "c8"), "yx"))
