"""Automatic contrast is decided once, written down, and the same for every tile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import exposure

from diascope.errors import BadRequest, TooLarge, Unsupported
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.operations.looks import MOST, look
from diascope.operations.operation import mapped
from diascope.operations.view import view
from diascope.testing.synthetic import ramp
from tests.operations.pictures import noise, pictured, seen


def told(text: str, image: Image) -> str:
    return str(view(text).settled(image))


def test_it_is_the_window_with_the_limits_of_the_percentiles():
    pixels = noise((3, 40, 50), "u2", 5000)
    low, high = np.percentile(pixels, (1, 98), method="lower").astype(int)
    image = pictured(pixels, "zyx")
    _, low_text, high_text = told("autocontrast,low=1,high=98", image).split(",")
    assert abs(int(low_text[4:]) - low) <= 1
    assert abs(int(high_text[5:]) - high) <= 2
    np.testing.assert_array_equal(
        seen("autocontrast,low=1,high=98", image), seen(f"window,{low_text},{high_text}", image)
    )


def test_the_pixels_are_those_of_scikit_image():
    pixels = noise((64, 64), "u2", 60_000)
    got = seen("autocontrast,low=2,high=98", pictured(pixels, "yx"))
    expected = exposure.rescale_intensity(
        pixels, in_range=tuple(np.percentile(pixels, (2, 98), method="nearest")), out_range=(0, 255)
    )
    assert np.abs(got - expected).max() <= 1


def test_what_is_written_down_is_looked_up_no_more():
    image = pictured(noise((40, 50), "f4"), "yx", levels=2)
    settled = view("gamma,gamma=0.5,low=0,high=60000~autocontrast~invert").settled(image)
    first, middle, last = str(settled).split("~")
    assert (first, last) == ("gamma,low=0,high=60000,gamma=0.5", "invert")
    assert middle.startswith("window,low=")
    assert not settled.may_look
    assert settled.settled(_unreadable(image)) is settled
    assert view(str(settled)) == settled


def _unreadable(image: Image) -> Image:
    def read_pixels(_: Region):
        raise AssertionError("pixels were read")

    return mapped(image, lambda level: replace(level, read_pixels=read_pixels))


def test_it_is_told_after_the_operations_before_it():
    image = pictured(noise((3, 40, 50), "u2", 5000), "zyx")
    assert (
        told("invert~autocontrast,low=0,high=100", image) == f"invert~window,low={65535 - image[...].max()},high=65535"
    )
    assert told("select,axis=z,index=1~autocontrast,low=0,high=100", image) == (
        f"select,axis=z,index=1~window,low={image[1].min()},high={image[1].max()}"
    )


def test_channels_have_limits_together_or_of_their_own():
    pixels = np.stack([noise((30, 30), "u2", 100), noise((30, 30), "u2", 9000)])
    image = pictured(pixels, "cyx")
    assert told("autocontrast,low=0,high=100", image) == f"window,low=0,high={pixels.max()}"
    each = told("autocontrast,low=0,high=100,each=true", image)
    assert each == f"channels,low={pixels[0].min()}+{pixels[1].min()},high={pixels[0].max()}+{pixels[1].max()}"
    np.testing.assert_array_equal(seen("autocontrast,each=true", image), pixels)


def test_opacity_does_not_count():
    pixels = np.concatenate([noise((3, 20, 20), "u1", 100), np.full((1, 20, 20), 255, "u1")])
    assert (
        told("autocontrast,low=0,high=100", pictured(pixels, "cyx", kind="rgb"))
        == f"window,low=0,high={pixels[:3].max()}"
    )


def test_what_is_no_number_does_not_count_and_floats_are_short():
    pixels = np.array([[np.nan, np.inf, -np.inf, 1 / 3, 2 / 3, 1e-9]])
    assert told("autocontrast,low=0,high=100", pictured(pixels, "yx")) == "window,low=1e-09,high=0.666667"
    close = np.array([[1 + 1e-9, 1 + 2e-9]])
    assert told("autocontrast,low=0,high=100", pictured(close, "yx")) == "window,low=1.000000001,high=1.000000002"
    assert told("autocontrast", pictured(np.full((3, 3), np.nan), "yx")) == "window,low=0,high=1"


def test_a_bounded_number_of_pixels_is_read_of_an_image_of_any_size():
    image = ramp("tczyx", (1000, 4, 5000, 200_000, 300_000), levels=8)
    read = sum(block.size for block in look(image))
    assert read <= 2 * MOST
    assert told("autocontrast", image) == told("autocontrast", image)


def test_what_has_no_order_is_refused():
    with pytest.raises(Unsupported, match="brighter"):
        told("autocontrast", pictured(noise((4, 5)), "yx", kind="labels"))
    with pytest.raises(Unsupported, match="no order"):
        told("autocontrast", pictured(noise((4, 5), "c8"), "yx"))
    with pytest.raises(Unsupported, match="together"):
        told("autocontrast,each=true", pictured(noise((3, 4, 5), "u1", 9), "cyx", kind="rgb"))
    with pytest.raises(TooLarge, match="64"):
        told("autocontrast,each=true", pictured(noise((65, 4, 5)), "cyx"))
    with pytest.raises(BadRequest, match="below high"):
        view("autocontrast,low=50,high=50")
    with pytest.raises(BadRequest):
        view("autocontrast,low=-1")
