"""Logarithms are those of scikit-image and numpy."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import exposure

from diascope.errors import Unsupported
from diascope.image.metadata import Channel
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


def test_it_is_the_logarithm_of_scikit_image():
    pixels = np.random.default_rng(2).random((20, 30))
    got = seen("log,base=2", pictured(pixels, "yx"))
    np.testing.assert_allclose(got, exposure.adjust_log(pixels), rtol=1e-13)


@pytest.mark.parametrize(
    ("dtype", "result"), [("u1", "f4"), ("i2", "f4"), ("f4", "f4"), ("u4", "f8"), ("i8", "f8"), ("f8", "f8")]
)
@pytest.mark.parametrize(("base", "function"), [("e", np.log), ("2", np.log2), ("10", np.log10)])
def test_the_type_holds_it(dtype, result, base, function):
    pixels = noise((20, 30), dtype, 100)
    got = seen(f"log,base={base},offset=0.5", pictured(pixels, "yx"))
    assert got.dtype == result
    np.testing.assert_array_equal(got, function(pixels + np.float64(0.5)).astype(result))


def test_what_has_no_logarithm_is_told():
    got = seen("log,offset=0", pictured(np.array([[-3, 0, 1]], "i2"), "yx"))
    np.testing.assert_array_equal(got, [[np.nan, -np.inf, 0]])


def test_limits_go_along_where_they_have_logarithms():
    channels = (Channel(window=(0, 1)), Channel(window=(-4, 1)), Channel())
    made = view("log,base=2").applied(pictured(noise((3, 4, 5)), "cyx", channels=channels))
    assert [channel.window for channel in made.channels] == [(0, 1), None, None]


def test_colours_are_refused():
    with pytest.raises(Unsupported, match="no colour"):
        seen("log", pictured(noise((3, 4, 5), "u1", 255), "cyx", kind="rgb"))
