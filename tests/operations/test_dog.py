"""Differences of Gaussians are scikit-image's, and keep their sign."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.filters import difference_of_gaussians

from diascope.errors import BadRequest, TooLarge, Unsupported
from diascope.image.level import read_whole
from diascope.image.metadata import Channel, Metadata
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.judge
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_scipy_makes_the_same(dtype, axes):
    pixels = noise((7, 40, 50), "i8", 250 if dtype == "u1" else 30_000).astype(dtype)
    image = pictured(pixels, "zyx", scale=(2.0, 0.5, 0.25), levels=3)
    for k, level in enumerate(image.levels):
        given = read_whole(level).astype("f8")
        smoothed = []
        for sigma in (0.7, 1.3):
            sigmas = [sigma / s if name in axes else 0 for name, s in zip("zyx", level.scale, strict=True)]
            radius = [int(np.ceil(4 * s)) for s in sigmas]
            smoothed.append(gaussian_filter(given, sigmas, mode="nearest", radius=radius))
        got = seen(f"dog,narrow=0.7,wide=1.3,axes={axes}", image, k)
        single = dtype in {"u1", "u2", "i2", "f4"}
        assert got.dtype == np.dtype("f4" if single else "f8")
        tolerance = 30_000 * (1e-6 if single else 1e-12)
        np.testing.assert_allclose(got, smoothed[0] - smoothed[1], atol=tolerance, rtol=0)


@pytest.mark.judge
def test_scikit_image_makes_the_same():
    pixels = noise((60, 70), "f8", 1000) / 1000
    expected = difference_of_gaussians(pixels, 1, 2, mode="nearest")
    got = seen("dog,narrow=1,wide=2", pictured(pixels, "yx"))
    np.testing.assert_allclose(got, expected, atol=1e-12)
    assert got.min() < 0 < got.max()


def test_a_picture_is_three_channels_shown_anew():
    image = pictured(noise((4, 20, 30), "u1", 255), "cyx", kind="rgb")
    made = view("dog,narrow=1,wide=2").applied(image)
    assert (made.kind, made.shape, made.dtype) == ("intensity", (3, 20, 30), np.dtype("f4"))
    assert [channel.name for channel in made.channels] == ["red", "green", "blue"]
    known = replace(
        pictured(noise((20, 30)), "yx", channels=(Channel(name="DAPI", colour="0000ff", window=(5, 9)),)),
        metadata=Metadata(rescale=(2.0, -7.0)),
    )
    made = view("dog,narrow=1,wide=2").applied(known)
    assert made.channels == (Channel(name="DAPI", colour="0000ff"),)
    assert made.metadata.rescale == (2.0, 0.0)


def test_what_cannot_be_is_refused():
    with pytest.raises(BadRequest, match="narrow is less than wide"):
        view("dog,narrow=2,wide=1")
    with pytest.raises(TooLarge, match="wide=101"):
        view("dog,narrow=2,wide=101").applied(pictured(noise((4, 5)), "yx"))
    with pytest.raises(Unsupported, match="names"):
        seen("dog,narrow=1,wide=2", pictured(noise((4, 5)), "yx", kind="labels"))
