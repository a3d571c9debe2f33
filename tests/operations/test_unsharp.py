"""Edges are steeper as scikit-image makes them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.filters import unsharp_mask

from diascope.errors import TooLarge, Unsupported
from diascope.image.level import read_whole
from diascope.operations.view import view
from diascope.testing.operations import check_tiles
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.judge
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_scipy_makes_the_same(dtype, axes):
    pixels = noise((7, 40, 50), "i8", 250 if dtype == "u1" else 30_000).astype(dtype)
    image = pictured(pixels, "zyx", scale=(2.0, 0.5, 0.25), levels=3)
    for k, level in enumerate(image.levels):
        given = read_whole(level).astype("f8")
        sigmas = [1.3 / s if name in axes else 0 for name, s in zip("zyx", level.scale, strict=True)]
        radius = [int(np.ceil(4 * s)) for s in sigmas]
        expected = given + 1.7 * (given - gaussian_filter(given, sigmas, mode="nearest", radius=radius))
        if pixels.dtype.kind in "iu":
            expected = expected.clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
        got = seen(f"unsharp,sigma=1.3,axes={axes},amount=1.7", image, k)
        assert got.dtype == pixels.dtype
        tolerance = 0.6 if pixels.dtype.kind in "iu" else 30_000 * (1e-6 if dtype == "f4" else 1e-12)
        np.testing.assert_allclose(got.astype("f8"), expected, atol=tolerance, rtol=0)


@pytest.mark.judge
def test_scikit_image_makes_about_the_same():
    pixels = noise((60, 70), "f8", 1000) / 1000
    expected = unsharp_mask(pixels, radius=2, amount=1.5, preserve_range=True)
    got = seen("unsharp,sigma=2,amount=1.5", pictured(pixels, "yx"))
    # Beyond its edges that one repeats the image mirrored.
    np.testing.assert_allclose(got[9:-9, 9:-9], expected[9:-9, 9:-9], atol=1e-12)


def test_opacity_is_kept_and_a_plain_image_stays_plain():
    image = pictured(noise((4, 20, 30), "u1", 255), "cyx", kind="rgb")
    np.testing.assert_array_equal(seen("unsharp,sigma=2", image)[3], image[3])
    plain = pictured(np.full((20, 30), 65_535, np.uint16), "yx")
    np.testing.assert_array_equal(seen("unsharp,sigma=2,amount=10", plain), plain[...])


def test_what_is_too_wide_or_has_no_order_is_refused():
    with pytest.raises(TooLarge, match="sigma=101 is 101 pixels along y; the limit is 100"):
        view("unsharp,sigma=101").applied(pictured(noise((4, 5)), "yx"))
    with pytest.raises(Unsupported, match="names"):
        seen("unsharp,sigma=1", pictured(noise((4, 5)), "yx", kind="labels"))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
def test_nan_and_infinities_spread_alike_in_every_tile(dtype):
    random = np.random.default_rng(5)
    pixels = random.standard_normal((40, 50)).astype(dtype)
    strange = [np.nan, -np.nan, np.inf, -np.inf]
    pixels.flat[random.choice(2000, 40, replace=False)] = np.array(strange * 10, dtype)
    for text in ("unsharp,sigma=0.7~gaussian,sigma=0.3", "dog,narrow=0.3,wide=0.5", "gradient", "gradient,sigma=0.4"):
        if dtype != "c8" or "gradient" not in text:
            level = view(text).applied(pictured(pixels, "yx")).levels[0]
            for seed in range(3):
                check_tiles(level, text, np.random.default_rng(seed))
