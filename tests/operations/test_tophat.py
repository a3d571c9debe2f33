"""What stands out of its background is what scipy finds, and a smooth background is gone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from diascope.errors import Unsupported
from diascope.image.level import read_whole
from tests.operations.footprints import about, cut, repeated
from tests.operations.pictures import noise, pictured, seen

SCIPY = {"white": ndimage.white_tophat, "black": ndimage.black_tophat}


@pytest.mark.judge
@pytest.mark.parametrize("method", SCIPY)
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "u4", "f4"])
@pytest.mark.parametrize(("axes", "radius"), [("yx", 0.5), ("yx", 3.3), ("zyx", 2.1)])
def test_scipy_does_the_same(method, dtype, axes, radius):
    pixels = noise((5, 30, 41), "i8", 30_000).astype(dtype)
    image = pictured(pixels, "zyx", scale=(2.0, 0.5, 0.25))
    given = repeated(read_whole(image.levels[0]))
    expected = cut(SCIPY[method](given, footprint=about(image, 0, radius, axes)))
    got = seen(f"tophat,radius={radius},axes={axes},method={method}", image)
    assert got.dtype == pixels.dtype
    np.testing.assert_array_equal(got, expected)


def test_a_background_is_gone_and_spots_stay():
    y, x = np.mgrid[:60, :80]
    background = (500 + 3 * x + 2 * y).astype(np.uint16)
    spots = np.zeros_like(background)
    spots[20:23, 30:33], spots[50, 70] = 1000, 700
    made = seen("tophat,radius=6", pictured(background + spots, "yx"))
    # A disk below a slope does not touch all of it.
    np.testing.assert_allclose(made[spots > 0], spots[spots > 0], atol=3)
    assert made[spots == 0].max() < 60


def test_what_the_type_cannot_hold_is_its_largest():
    pixels = np.full((9, 9), -32_768, np.int16)
    pixels[4, 4] = 32_767
    made = seen("tophat,radius=2", pictured(pixels, "yx"))
    assert made[4, 4] == 32_767
    assert made.sum() == 32_767


def test_coarse_levels_are_not_empty():
    image = pictured(noise((64, 64)), "yx", levels=4)
    assert all(seen("tophat,radius=1.5", image, level).any() for level in range(4))


def test_opacity_is_kept():
    image = pictured(noise((4, 20, 30), "u1", 255), "cyx", kind="rgb")
    np.testing.assert_array_equal(seen("tophat,radius=2", image)[3], image[3])


def test_names_do_not_stand_out():
    with pytest.raises(Unsupported, match="names"):
        seen("tophat,radius=1", pictured(noise((4, 5)), "yx", kind="labels"))
