"""Neighbours within a radius are those of scikit-image's disks and balls, however far apart pixels are along axes."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.morphology import ball as skimage_ball
from skimage.morphology import disk

from diascope.errors import BadRequest, TooLarge
from diascope.operations.ball import ball
from diascope.operations.view import view
from tests.operations.footprints import footprint
from tests.operations.pictures import noise, pictured

FILTERS = ("median", "morphology,method=open", "tophat")


@pytest.mark.judge
@pytest.mark.parametrize("radius", [1, 2, 5, 10, 13])
def test_scikit_image_has_the_same_neighbours(radius):
    np.testing.assert_array_equal(footprint(ball((1 / radius,) * 2))[0], disk(radius))
    np.testing.assert_array_equal(footprint(ball((1 / radius,) * 3)), skimage_ball(radius))


def test_a_radius_that_binary_numbers_miss_reaches_as_far():
    for radius, step, pixels in ((0.3, 0.1, 3), (0.7, 0.1, 7), (1.1, 0.11, 10), (0.6, 0.2, 3)):
        assert ball((step / radius,) * 2).reach == (0, pixels, pixels)


def test_pixels_that_lie_apart_are_fewer():
    flat = ball((1.0, 0.25, 0.125))
    assert flat.reach == (1, 4, 8)
    z, y, x = np.mgrid[-1:2, -4:5, -8:9]
    np.testing.assert_array_equal(footprint(flat), z**2 + (y / 4) ** 2 + (x / 8) ** 2 <= 1)
    assert flat.count == footprint(flat).sum()


@pytest.mark.parametrize("name", FILTERS)
def test_a_tile_reads_a_bounded_border(name):
    image = pictured(noise((4, 40, 50)), "zyx", scale=(0.5, 0.5, 0.5))
    with pytest.raises(TooLarge, match="102 pixels along y; the limit is 100"):
        view(f"{name},radius=51").applied(image)
    with pytest.raises(TooLarge, match="radius=1e300"):
        view(f"{name},radius=1e300").applied(image)
    with pytest.raises(TooLarge, match="the limit is 40000"):
        view(f"{name},radius=12,axes=zyx").applied(image)
    with pytest.raises(BadRequest, match="greater than 0"):
        view(f"{name},radius=0")


@pytest.mark.parametrize("name", ["median", "morphology,method=open"])
def test_what_is_nearer_than_a_pixel_changes_nothing(name):
    image = pictured(noise((40, 50)), "yx", scale=(0.5, 0.5), levels=2)
    same, wider = view(f"{name},radius=0.4").applied(image), view(f"{name},radius=0.6").applied(image)
    assert same.levels[0] is image.levels[0]
    assert wider.levels[0] is not image.levels[0]
    assert wider.levels[1] is image.levels[1]
