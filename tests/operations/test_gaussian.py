"""Smoothing equals scipy's, at every level, and is the same in every tile."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from diascope.errors import BadRequest, TooLarge, Unsupported
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.operations.view import view
from diascope.testing.operations import check_tiles
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.judge
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("axes", ["yx", "zyx"])
@pytest.mark.parametrize("sigma", [0.25, 1.3, 3.0])
def test_scipy_smooths_to_the_same(dtype, axes, sigma):
    pixels = noise((7, 40, 50), "i8", 250 if dtype == "u1" else 30_000).astype(dtype)
    scale = (2.0, 0.5, 0.25)
    image = pictured(pixels, "zyx", scale=scale, levels=3)
    for k, level in enumerate(image.levels):
        sigmas = [sigma / s if name in axes else 0 for name, s in zip("zyx", level.scale, strict=True)]
        # The kernel's radius is rounded up here and to the nearest there.
        radius = [int(np.ceil(4 * s)) for s in sigmas]
        expected = gaussian_filter(read_whole(level).astype("f8"), sigmas, mode="nearest", radius=radius)
        got = seen(f"gaussian,sigma={sigma},axes={axes}", image, k)
        assert got.dtype == pixels.dtype
        tolerance = (
            0.501 + 30_000 * 1e-6 if np.dtype(dtype).kind in "iu" else 30_000 * (1e-6 if dtype == "f4" else 1e-12)
        )
        np.testing.assert_allclose(got.astype("f8"), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", ["u2", "f4", "f8", "c8"])
@pytest.mark.parametrize("seed", range(3))
def test_tiles_of_any_place_and_width_are_the_same(dtype, seed):
    pixels = np.random.default_rng(seed).standard_normal((3, 101, 137)) * 1e4
    image = pictured(pixels.astype(dtype) if dtype != "u2" else np.abs(pixels).astype(dtype), "zyx")
    level = view("gaussian,sigma=2.2,axes=zyx").applied(image).levels[0]
    for _ in range(3):
        check_tiles(level, "gaussian", np.random.default_rng(seed))


def test_a_length_is_in_the_unit_that_is_named():
    image = pictured(noise((40, 50)), "yx", scale=(0.5, 0.5), units={"y": "micrometer", "x": "micrometer"})
    np.testing.assert_array_equal(seen("gaussian,sigma=1.5", image), seen("gaussian,sigma=1500,unit=nm", image))
    millimetres = pictured(image[...], "yx", scale=(5e-4, 5e-4), units={"y": "millimeter", "x": "millimeter"})
    np.testing.assert_array_equal(seen("gaussian,sigma=1.5", image), seen("gaussian,sigma=1.5", millimetres))
    unknown = pictured(image[...], "yx", scale=(0.5, 0.5), units={})
    np.testing.assert_array_equal(seen("gaussian,sigma=1.5", image), seen("gaussian,sigma=3", unknown))
    with pytest.raises(BadRequest, match="no known unit"):
        seen("gaussian,sigma=1,unit=um", unknown)


def test_what_is_too_narrow_changes_nothing():
    image = pictured(noise((40, 50), "f8"), "yx")
    np.testing.assert_array_equal(seen("gaussian,sigma=0.05", image), image[...])


def test_a_plain_image_stays_plain():
    for value in (65_535, 1, 0):
        image = pictured(np.full((30, 30), value, np.uint16), "yx")
        assert (seen("gaussian,sigma=3", image) == value).all()


def test_a_tile_reads_a_bounded_border():
    image = pictured(noise((40, 50)), "yx", scale=(0.5, 0.5))
    with pytest.raises(TooLarge, match="the limit is 100"):
        view("gaussian,sigma=51").applied(image)
    with pytest.raises(TooLarge, match="sigma=1e300"):
        view("gaussian,sigma=1e300").applied(image)
    volume = pictured(noise((4, 40, 50)), "zyx")
    for text in ("gaussian,sigma=32", "unsharp,sigma=32", "dog,narrow=1,wide=32", "gradient,sigma=32"):
        with pytest.raises(TooLarge, match="=32 lie 16974593 pixels of a volume; the limit is 16777216"):
            view(f"{text},axes=zyx").applied(volume)
        assert view(text).applied(volume)


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(Unsupported, match="names"):
        seen("gaussian,sigma=1", pictured(noise((4, 5)), "yx", kind="labels"))
    for dtype in ("?", "i8"):
        with pytest.raises(Unsupported, match="smoothed"):
            seen("gaussian,sigma=1", pictured(noise((4, 5), dtype), "yx"))
    with pytest.raises(BadRequest, match="no axis z"):
        seen("gaussian,sigma=1,axes=zyx", pictured(noise((4, 5)), "yx"))


@pytest.mark.parametrize("distance", [0.0, -1.0, float("nan"), float("inf")])
def test_a_file_that_tells_no_distances_is_told_so(distance):
    image = pictured(noise((40, 50)), "yx", scale=(distance, distance))
    for text in ("gaussian,sigma=1", "crop,x=0..5,unit=um"):
        with pytest.raises(Unsupported, match="apart"):
            view(text).applied(image)


@pytest.mark.parametrize("distance", [0.0, -1.0, float("nan")])
def test_planes_of_such_a_file_are_found_by_their_number(distance):
    image = pictured(noise((8, 40, 50)), "zyx", scale=(distance, 1, 1), levels=2)
    np.testing.assert_array_equal(seen("select,axis=z,index=5", image, 1), image.levels[1].read_pixels(WHOLE)[2])


WHOLE = Region((0, 0, 0), (4, 20, 25))
