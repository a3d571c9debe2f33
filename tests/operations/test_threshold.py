"""Thresholds part pixels as said, and Otsu's is that of scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from diascope.errors import BadRequest, Unsupported
from diascope.image.metadata import Channel
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i8", "f4", "f8"])
def test_what_lies_above_is_1(dtype):
    pixels = noise((2, 20, 30), dtype, 120)
    image = pictured(pixels, "cyx", channels=(Channel(name="a", window=(0, 9)), Channel(name="b")))
    made = view("threshold,value=57").applied(image)
    assert (made.kind, made.dtype.name) == ("labels", "uint8")
    assert made.channels == (Channel(name="a"), Channel(name="b"))
    np.testing.assert_array_equal(made[...], pixels > 57)


def test_what_is_no_number_is_0_and_values_are_compared_exactly():
    pixels = np.array([[np.nan, np.inf, -np.inf, 0.1]], "f4")
    np.testing.assert_array_equal(seen("threshold,value=0.1", pictured(pixels, "yx")), [[0, 1, 0, 1]])


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4", "f8", "u4"])
def test_otsu_is_that_of_scikit_image(dtype):
    random = np.random.default_rng(5)
    pixels = np.concatenate([random.normal(40, 8, 3000), random.normal(90, 12, 2000)]).clip(0, 120)
    pixels = random.permutation(pixels).astype(dtype).reshape(50, 100)
    expected = threshold_otsu(pixels)
    value = float(str(view("threshold,method=otsu").settled(pictured(pixels, "yx"))).rpartition("=")[2])
    # Bins of 32-bit integers are ours: scikit-image has one for each value.
    assert value == pytest.approx(expected, rel=1e-6, abs=1 if dtype == "u4" else 1e-6)
    np.testing.assert_array_equal(seen("threshold,method=otsu", pictured(pixels, "yx")), pixels > value)


@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_an_image_of_one_value_has_no_foreground(dtype):
    assert not seen("threshold,method=otsu", pictured(np.full((5, 6), 7, dtype), "yx")).any()


def test_a_value_needs_no_look():
    settled = view("threshold,value=3")
    assert settled.settled(pictured(noise((4, 5)), "yx")) == settled


def test_what_makes_no_sense_is_refused():
    with pytest.raises(BadRequest, match="either a value or a method"):
        view("threshold")
    with pytest.raises(BadRequest, match="either a value or a method"):
        view("threshold,value=1,method=otsu")
    with pytest.raises(Unsupported, match="no one scale"):
        seen("threshold,value=1", pictured(noise((3, 4, 5), "u1", 9), "cyx", kind="rgb"))
    with pytest.raises(Unsupported, match="labels"):
        seen("threshold,value=1", pictured(noise((4, 5)), "yx", kind="labels"))
    with pytest.raises(BadRequest, match="give a value"):
        seen("threshold,method=otsu", pictured(np.full((3, 4), np.nan), "yx"))
