"""Power curves are those of scikit-image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import exposure

from diascope.errors import BadRequest, Unsupported
from diascope.image.metadata import Channel, Metadata
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.parametrize("gamma", [0.3, 1, 2.2])
def test_bytes_are_those_of_scikit_image(gamma):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected = exposure.adjust_gamma(pixels, gamma)
    np.testing.assert_array_equal(seen(f"gamma,gamma={gamma}", pictured(pixels, "yx")), expected)


@pytest.mark.parametrize("gamma", [0.3, 2.2])
def test_longer_integers_are_those_of_scikit_image_which_rounds_down(gamma):
    pixels = noise((50, 60), "u2", 65536)
    different = seen(f"gamma,gamma={gamma}", pictured(pixels, "yx")).astype(int) - exposure.adjust_gamma(pixels, gamma)
    assert set(np.unique(different)) == {0, 1}


def test_floats_are_those_of_scikit_image():
    pixels = np.random.default_rng(2).random((20, 30))
    got = seen("gamma,gamma=0.7", pictured(pixels, "yx"))
    np.testing.assert_allclose(got, exposure.adjust_gamma(pixels, 0.7), rtol=1e-14)


def test_the_curve_goes_on_above_the_limits_and_not_below():
    pixels = np.array([[-5, 0, 10, 55, 110, 210, np.nan]], np.float32)
    got = seen("gamma,low=10,high=110,gamma=2", pictured(pixels, "yx"))
    np.testing.assert_allclose(got, [[10, 10, 10, 30.25, 110, 410, np.nan]])


def test_signed_integers_reach_over_their_whole_range():
    got = seen("gamma,gamma=2", pictured(np.array([[-128, 0, 127]], "i1"), "yx"))
    np.testing.assert_array_equal(got, [[-128, -64, 127]])


def test_limits_of_channels_go_along():
    image = pictured(noise((4, 5), "f4"), "yx", channels=(Channel(name="a", window=(0.25, 1)),))
    made = view("gamma,gamma=2").applied(replace(image, metadata=Metadata(rescale=(2, 1))))
    assert made.channels == (Channel(name="a", window=(0.0625, 1)),)
    assert made.metadata.rescale is None


@pytest.mark.parametrize("view_text", ["gamma,gamma=0.5", "invert"])
def test_opacity_stays(view_text):
    pixels = noise((4, 20, 30), "u1", 256)
    made = view(view_text).applied(pictured(pixels, "cyx", kind="rgb"))
    plain = seen(view_text, pictured(pixels[:3], "cyx", kind="rgb"))
    np.testing.assert_array_equal(made[...], [*plain, pixels[3]])
    np.testing.assert_array_equal(made[3], pixels[3])
    np.testing.assert_array_equal(made[1:3], plain[1:])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("gamma", "gamma: Field required"),
        ("gamma,gamma=0", "greater than"),
        ("gamma,gamma=1,low=3", "go together"),
        ("gamma,gamma=1,low=3,high=3", "below high"),
    ],
)
def test_what_means_nothing_is_refused(text, reason):
    with pytest.raises(BadRequest, match=reason):
        view(text)


@pytest.mark.parametrize("name", ["gamma,gamma=2", "log", "invert"])
def test_names_and_masks_are_refused_with_the_reason(name):
    with pytest.raises(Unsupported, match="labels are names"):
        seen(name, pictured(noise((4, 5)), "yx", kind="labels"))
    with pytest.raises(Unsupported, match="bool"):
        seen(name, pictured(noise((4, 5)) > 9, "yx"))
    with pytest.raises(Unsupported, match="complex64"):
        seen(name, pictured(noise((4, 5), "c8"), "yx"))
