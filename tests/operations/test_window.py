"""Windows are rounded as said, in every type."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from diascope.errors import Unsupported
from diascope.image.metadata import Channel, Metadata
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.parametrize(("low", "high"), [(0, 255), (0, 4095), (100, 356), (4000, 10), (-20, 7)])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i8", "f4", "f8"])
def test_a_pixel_is_rounded_half_up(low, high, dtype):
    top = 127 if dtype == "i1" else 255 if dtype == "u1" else 5000
    pixels = np.arange(0, top, dtype=dtype)[None]
    expected = [
        min(255, max(0, floor(Fraction(int(v) - low, high - low) * 255 + Fraction(1, 2)))) for v in pixels[0].tolist()
    ]
    got = seen(f"window,low={low},high={high}", pictured(pixels, "yx"))
    assert got.dtype == np.uint8
    # A half in exact arithmetic may fall either way in double precision.
    halves = [Fraction(int(v) - low, high - low) * 510 % 2 == 1 for v in pixels[0].tolist()]
    different = got[0].astype(int) - expected
    assert not different[~np.array(halves)].any()
    assert np.abs(different).max() <= 1


def test_negative_numbers_have_their_own_place():
    got = seen("window,low=-100,high=155", pictured(np.array([[-128, -100, -1, 0, 127]], "i1"), "yx"))
    np.testing.assert_array_equal(got, [[0, 0, 99, 100, 227]])


@pytest.mark.parametrize("gamma", [0.45, 2.2])
@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_gamma_is_an_exponent(gamma, dtype):
    pixels = noise((30, 40), dtype, 5000)
    share = np.clip((pixels.astype(float) - 100) / 3000, 0, 1)
    expected = np.floor(255 * share**gamma + 0.5)
    np.testing.assert_array_equal(seen(f"window,low=100,high=3100,gamma={gamma}", pictured(pixels, "yx")), expected)


def test_what_is_no_number_is_black():
    pixels = np.array([[np.nan, np.inf, -np.inf, 1e300, -1e300, 0.5]])
    got = seen("window,low=0,high=1", pictured(pixels, "yx"))
    np.testing.assert_array_equal(got, [[0, 255, 0, 255, 0, 128]])
    curved = seen("window,low=0,high=1,gamma=0.5", pictured(pixels, "yx"))
    np.testing.assert_array_equal(curved, [[0, 255, 0, 255, 0, 180]])


def test_a_complex_number_is_its_magnitude():
    np.testing.assert_array_equal(seen("window,low=0,high=255", pictured(np.array([[3 + 4j, -7]]), "yx")), [[5, 7]])


def test_metadata_are_those_of_the_bytes():
    image = pictured(noise((4, 5)), "yx", channels=(Channel(name="a", window=(3, 900)),))
    got = view("window,low=3,high=900").applied(replace(image, metadata=Metadata(rescale=(2, 1))))
    assert got.channels == (Channel(name="a", window=(0, 255)),)
    assert got.metadata.rescale is None


def test_labels_are_refused():
    with pytest.raises(Unsupported, match="render"):
        seen("window,low=0,high=9", pictured(noise((4, 5)), "yx", kind="labels"))
