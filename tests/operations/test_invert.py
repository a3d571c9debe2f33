"""Inverted pixels are those of scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.util import invert

from diascope.errors import Unsupported
from diascope.image.metadata import Channel
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_integers_are_turned_round_in_their_type(dtype):
    info = np.iinfo(dtype)
    pixels = np.random.default_rng(3).integers(info.min, info.max, (20, 30), dtype, endpoint=True)
    pixels[0, :2] = info.min, info.max
    np.testing.assert_array_equal(seen("invert", pictured(pixels, "yx")), invert(pixels))


def test_floats_are_turned_round_between_0_and_1():
    pixels = np.random.default_rng(2).random((20, 30))
    np.testing.assert_array_equal(seen("invert", pictured(pixels, "yx")), invert(pixels))


def test_limits_are_exchanged_and_the_type_holds():
    got = seen("invert,low=0,high=4095", pictured(np.array([[0, 95, 4095, 5000]], "u2"), "yx"))
    np.testing.assert_array_equal(got, [[4095, 4000, 0, 0]])


def test_integers_that_are_not_exact_are_refused():
    with pytest.raises(Unsupported, match="not exact"):
        seen("invert", pictured(noise((4, 5), "i8"), "yx"))


def test_it_is_seen_in_a_picture_between_the_same_limits():
    pixels = noise((4, 5), "u2", 1000)
    image = pictured(pixels, "yx", channels=(Channel(window=(100, 900)),))
    made = view("invert").applied(image)
    assert made.channels[0].window == (65535 - 900, 65535 - 100)
    np.testing.assert_array_equal(seen("invert~render", image), seen("window,low=900,high=100~render", image))
    turned = pictured(pixels, "yx", channels=(Channel(window=(900, 100)),))
    np.testing.assert_array_equal(seen("invert~render", turned), seen("window,low=100,high=900~render", turned))
