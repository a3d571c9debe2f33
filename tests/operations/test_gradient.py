"""Slopes are those of scipy and scikit-image, per length, and the same at every level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_gradient_magnitude, sobel
from skimage.filters import sobel as skimage_sobel

from diascope.errors import TooLarge, Unsupported
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


def slope(shape, scale, per):
    """An image that rises along each axis by so much per length."""
    axes = np.meshgrid(*(np.arange(size) * step for size, step in zip(shape, scale, strict=True)), indexing="ij")
    return sum(axis * rise for axis, rise in zip(axes, per, strict=True))


@pytest.mark.judge
@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_scipy_finds_sobels(axes):
    pixels = noise((7, 40, 50), "u2")
    scale = (2.0, 0.5, 0.25)
    given, total = pixels.astype("f8"), 0.0
    for name in axes:
        at = "zyx".index(name)
        # In a plane there are 2 · 4 weights on either side, in a volume 2 · 16.
        planes = given if axes == "zyx" else None
        found = (
            sobel(planes, at, mode="nearest")
            if planes is not None
            else np.stack([sobel(plane, at - 1, mode="nearest") for plane in given])
        )
        total = total + (found / (2 * 4 ** (len(axes) - 1)) / scale[at]) ** 2
    got = seen(f"gradient,axes={axes}", pictured(pixels, "zyx", scale=scale))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, np.sqrt(total), rtol=1e-5, atol=0.1)


@pytest.mark.judge
def test_scikit_image_finds_sobels():
    pixels = noise((60, 70), "f8", 1000) / 1000
    # That one is the root of the mean, not of the sum, of squares, and of differences over two pixels, not per pixel.
    expected = skimage_sobel(pixels, mode="nearest") * np.sqrt(2) / 2
    np.testing.assert_allclose(seen("gradient", pictured(pixels, "yx")), expected, atol=1e-12)


@pytest.mark.judge
@pytest.mark.parametrize(("dtype", "tolerance"), [("u2", 2e-4), ("f8", 2e-4), ("i4", 2e-4)])
def test_scipy_finds_that_of_a_gaussian(dtype, tolerance):
    pixels = noise((60, 70), dtype)
    expected = gaussian_gradient_magnitude(pixels.astype("f8"), 2.0, mode="nearest")
    got = seen("gradient,sigma=1", pictured(pixels, "yx", scale=(0.5, 0.5)))
    # A kernel that is cut off at 4 sigma is weighed anew, so that a slope is exact.
    np.testing.assert_allclose(got, 2 * expected, rtol=2e-3, atol=tolerance * 60_000)


@pytest.mark.parametrize("text", ["gradient", "gradient,sigma=0.01", "gradient,sigma=0.3", "gradient,sigma=0.6"])
def test_a_slope_is_the_same_at_every_level_and_however_pixels_lie(text):
    scale, rise = (1.0, 0.5, 0.25), (3.0, -4.0, 12.0)
    image = pictured(slope((24, 60, 80), scale, rise), "zyx", scale=scale, levels=3)
    for level in range(2):
        border = {"zyx": 6, "yx": 0}
        for axes, magnitude in (("zyx", 13.0), ("yx", np.hypot(4, 12))):
            z = border[axes] if level == 0 else border[axes] // 2 + 2 * (axes == "zyx")
            made = seen(f"{text},axes={axes}", image, level)
            inside = made[z : made.shape[0] - z, 13:-13, 15:-15]
            assert inside.size
            np.testing.assert_allclose(inside, magnitude, rtol=1e-9)


def test_it_is_per_the_unit_that_is_named():
    image = pictured(noise((40, 50), "f8"), "yx", scale=(0.5, 0.5))
    np.testing.assert_allclose(seen("gradient,unit=nm", image) * 1000, seen("gradient", image))
    unknown = pictured(image[...], "yx", scale=(0.5, 0.5), units={})
    np.testing.assert_allclose(seen("gradient", unknown) * 2, seen("gradient", image))


def test_a_picture_is_three_channels():
    made = view("gradient").applied(pictured(noise((4, 20, 30), "u1", 255), "cyx", kind="rgb"))
    assert (made.kind, made.shape, made.dtype) == ("intensity", (3, 20, 30), np.dtype("f4"))


def test_a_single_plane_is_flat_along_z():
    image = pictured(noise((1, 20, 30)), "zyx")
    flat = seen("gradient,axes=zyx", image)
    np.testing.assert_array_equal(flat, seen("gradient", image))
    assert not seen("gradient", pictured(np.ones((1, 1)), "yx")).any()


def test_what_cannot_be_is_refused():
    with pytest.raises(TooLarge, match="sigma=101"):
        view("gradient,sigma=101").applied(pictured(noise((4, 5)), "yx"))
    for refused in (pictured(noise((4, 5)), "yx", kind="labels"), pictured(noise((4, 5), "c8"), "yx")):
        with pytest.raises(Unsupported):
            seen("gradient", refused)
