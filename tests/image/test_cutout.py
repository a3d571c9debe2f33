"""Boxes of an image in lengths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diascope.errors import BadRequest, Unsupported
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.testing.synthetic import ramp


@pytest.fixture
def image() -> Image:
    """Pixels 2, 0.5 and 0.25 µm apart."""
    return ramp("czyx", (2, 5, 60, 80), levels=2)


def test_lengths_count_from_the_edge_of_the_first_pixel(image: Image) -> None:
    found = image.cutout(um={"x": (10, 15), "y": (0, 4)}, nm={"z": (2000, 6000)}, pixels={"c": (1, 2)})
    assert np.array_equal(found, image[1:2, 1:3, 0:8, 40:60])


def test_a_pixel_belongs_to_the_range_that_has_its_centre(image: Image) -> None:
    assert np.array_equal(image.cutout(um={"x": (0.12, 0.38)}), image[..., 0:2])
    assert np.array_equal(image.cutout(um={"x": (0.13, 0.38)}), image[..., 1:2])


def test_open_ends_are_the_edges(image: Image) -> None:
    assert np.array_equal(image.cutout(), image[...])
    assert np.array_equal(image.cutout(um={"x": (None, 1), "y": (29, None)}), image[:, :, 58:, :4])


def test_at_the_distance_of_a_level_it_gives_that_level_s_kind_of_pixels() -> None:
    pixels = np.arange(64, dtype=np.float32).reshape(8, 8)
    axes = axes_named("yx", {"y": "micrometer", "x": "micrometer"})
    image = Image(name="a", kind="intensity", axes=axes, levels=(in_memory(pixels, (0.5, 0.5)),))
    assert np.array_equal(image.cutout("0.5 um", um={"y": (1, 3)}), pixels[2:6])
    assert np.array_equal(image.cutout("500 nm", pixels={"y": (2, 6)}), pixels[2:6])
    # The centre of a pixel twice as wide lies halfway between two: their mean, of a linear ramp exactly.
    means = pixels.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert np.array_equal(image.cutout("1 um", um={"y": (0, 4)}), means)


def test_time_and_channels_are_not_resampled() -> None:
    image = ramp("tcyx", (4, 2, 20, 20))
    found = image.cutout("0.5 um", s={"t": (1, 3)}, pixels={"c": (0, 1)}, um={"x": (0, 5)})
    assert found.shape == (2, 1, 20, 10)


@pytest.mark.parametrize(
    "ranges",
    [
        {"um": {"x": (5, 5)}},
        {"um": {"x": (-1, 5)}},
        {"um": {"x": (0, 21)}},
        {"um": {"x": (float("nan"), 5)}},
        {"um": {"x": (0, float("inf"))}},
        {"um": {"x": (0.01, 0.02)}},
        {"um": {"q": (0, 1)}},
        {"um": {"zy": (0, 1)}},
        {"um": {"x": (0, 1)}, "pixels": {"x": (0, 1)}},
        {"parsecs": {"x": (0, 1)}},
        {"s": {"x": (0, 1)}},
        {"pixels": {"c": (0, 3)}},
    ],
)
def test_what_cannot_be_meant_is_refused(image: Image, ranges: dict[str, dict[str, tuple[float, float]]]) -> None:
    for at in (None, "1 um"):
        if at and ranges == {"um": {"x": (0.01, 0.02)}}:
            continue
        with pytest.raises(BadRequest):
            image.cutout(at, **ranges)


@pytest.mark.parametrize("at", ["", "0 um", "two um", "2", "2 parsec", "1e3 um", "-1 um"])
def test_a_distance_is_a_number_and_a_unit(image: Image, at: str) -> None:
    with pytest.raises(BadRequest, match="no length such as"):
        image.cutout(at)


def test_lengths_need_a_known_distance_of_pixels(image: Image) -> None:
    unknown = replace(image, axes=axes_named("czyx"))
    assert unknown.cutout(pixels={"x": (1, 3)}).shape == (2, 5, 60, 2)
    for ranges, at in (({"um": {"x": (0, 1)}}, None), ({}, "1 um")):
        with pytest.raises(Unsupported, match="not known"):
            unknown.cutout(at, **ranges)
