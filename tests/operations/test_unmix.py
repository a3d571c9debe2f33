"""Stains are those that scikit-image tells apart."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color

from diascope.errors import BadRequest, Unsupported
from diascope.image.level import read_whole
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen

SIX = 6
"""scikit-image counts densities in units of a millionth of the light, we in tenths."""


def slide(dtype: str = "u1", colours: int = 3):
    return pictured(noise((colours, 24, 31), dtype, 255 if dtype == "u1" else 65535), "cyx", kind="rgb", levels=2)


def test_three_stains_are_those_of_rgb2hed():
    image = slide()
    made = view("unmix,stains=hed").applied(image)
    expected = SIX * color.rgb2hed(image[...].transpose(1, 2, 0))
    assert (made.kind, made.dtype.name, made.shape) == ("intensity", "float32", (3, 24, 31))
    np.testing.assert_allclose(made[...].transpose(1, 2, 0), expected, rtol=1e-5, atol=1e-6)
    assert [channel.name for channel in made.channels] == ["haematoxylin", "eosin", "DAB"]
    assert [channel.colour for channel in made.channels] == ["6f63ff", "ff1fe9", "ff804f"]


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("unmix,stains=he", color.rgb_from_hed[:2]),
        ("unmix,stains=hdab", color.rgb_from_hed[[0, 2]]),
        ("unmix,matrix=0.65+0.704+0.286+0.268+0.57+0.776", color.rgb_from_hdx[:2]),
    ],
)
def test_of_two_the_third_is_at_right_angles(dtype, text, rows):
    image = slide(dtype)
    inverse = np.linalg.inv(np.array([*rows, np.cross(*rows)]))
    expected = SIX * color.separate_stains(image[...].transpose(1, 2, 0), inverse)
    np.testing.assert_allclose(seen(text, image).transpose(1, 2, 0), expected, rtol=1e-5, atol=2e-6)
    assert view(text).applied(image).channels[2].name == "residual"


def test_a_stain_alone_is_the_picture_of_scikit_image():
    image = slide()
    stains = color.rgb2hed(image[...].transpose(1, 2, 0))
    for k in range(3):
        alone = np.zeros_like(stains)
        alone[..., k] = stains[..., k]
        expected = np.rint(color.hed2rgb(alone) * 255)
        made = view(f"unmix,stains=hed,show={k}").applied(image)
        assert (made.kind, made.dtype.name) == ("rgb", "uint8")
        assert np.abs(made[...].transpose(1, 2, 0) - expected).max() <= 1


def test_pure_stains_have_their_densities_and_no_others():
    row = np.array([0.65, 0.70, 0.29])
    pixels = np.rint(60_000 * 10 ** -np.outer(row, [0, 0.5, 1])).astype("u2")[:, None]
    got = seen("unmix,stains=hed,white=60000", pictured(pixels, "cyx", kind="rgb"))
    np.testing.assert_allclose(got[:, 0], np.outer([1, 0, 0], [0, 0.5, 1]), atol=1e-3)


def test_white_may_differ_by_colour_and_opacity_does_not_matter():
    image = slide(colours=4)
    got = seen("unmix,stains=hed,white=200+220+240", image)
    light = np.maximum(image[:3].astype(float) / np.array([200, 220, 240])[:, None, None], 1e-6)
    expected = np.einsum("cyx,cs->syx", -np.log10(light), np.linalg.inv(color.rgb_from_hed))
    np.testing.assert_allclose(got, np.maximum(expected, 0), rtol=1e-5, atol=1e-6)


def test_coarse_levels_are_unmixed_themselves():
    image = slide()
    coarse = pictured(read_whole(image.levels[1]), "cyx", kind="rgb")
    np.testing.assert_array_equal(seen("unmix,stains=hed", image, 1), seen("unmix,stains=hed", coarse))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("unmix", "either stains or a matrix"),
        ("unmix,stains=hed,matrix=1+0+0+0+1+0", "either stains or a matrix"),
        ("unmix,matrix=1+2+3", "6 or 9"),
        ("unmix,matrix=1+0+0+0+1e300+0", "beyond 100"),
        ("unmix,stains=hed,white=0", "above 0"),
        ("unmix,stains=hed,white=1+2", "one number or three"),
        ("unmix,stains=hed,show=3", "less than or equal to 2"),
    ],
)
def test_what_means_nothing_is_refused(text, reason):
    with pytest.raises(BadRequest, match=reason):
        view(text)


@pytest.mark.parametrize("matrix", ["1+0+0+2+0+0", "0+0+0+1+0+0", "1+0+0+0+1+0+1+1+0", "1e-300+0+0+0+1e-300+0"])
def test_stains_that_are_alike_are_refused(matrix):
    with pytest.raises(BadRequest, match="cannot be told apart"):
        seen(f"unmix,matrix={matrix}", slide())


def test_what_has_no_colours_is_refused():
    with pytest.raises(Unsupported, match="no rgb image"):
        seen("unmix,stains=hed", pictured(noise((3, 4, 5)), "cyx"))
