"""A selected plane is the right one at every level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diascope.errors import BadRequest
from diascope.image.affine import affine
from diascope.image.metadata import Channel
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.parametrize("index", [0, 3, 7, -1, -8])
def test_a_plane_of_each_level_holds_the_one_selected(index):
    pixels = noise((8, 32, 32))
    image = pictured(pixels, "zyx", levels=3)
    for k, level in enumerate(image.levels):
        expected = level.read_pixels(_whole(level))[index % 8 >> k]
        np.testing.assert_array_equal(seen(f"select,axis=z,index={index}", image, k), expected)


def _whole(level):
    from diascope.image.region import whole

    return whole(level.shape)


@pytest.mark.parametrize(
    ("text", "index"),
    [("position=10", 0), ("position=14.9", 2), ("position=0.0151,unit=mm", 3), ("position=9.1,unit=um", 0)],
)
def test_a_position_lies_in_a_plane(text, index):
    pixels = noise((4, 5, 6))
    image = pictured(pixels, "zyx", scale=(2, 1, 1), translation=(10, 0, 0))
    np.testing.assert_array_equal(seen(f"select,axis=z,{text}", image), pixels[index])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("select,axis=z,index=4", "the image has 4, from 0 to 3"),
        ("select,axis=z,index=-5", "the image has 4"),
        ("select,axis=t,index=0", "no axis t"),
        ("select,axis=z,position=8.9", "from 10 to 16"),
        ("select,axis=z,position=17.1", "from 10 to 16"),
        ("select,axis=z,position=1,unit=s", "cannot be expressed"),
        ("select,axis=z,position=-1e308,unit=km", "lies outside"),
    ],
)
def test_a_plane_outside_is_refused(text, reason):
    image = pictured(noise((4, 5, 6)), "zyx", scale=(2, 1, 1), translation=(10, 0, 0))
    with pytest.raises(BadRequest, match=reason):
        seen(text, image)


def test_channels_go_with_their_axis():
    channels = tuple(Channel(name=n, colour="ff0000") for n in "ab")
    image = replace(pictured(noise((2, 4, 5, 6)), "czyx", channels=channels), world=affine(np.eye(4), "scanner"))
    one = view("select,axis=c,index=-1").applied(image)
    assert (one.channels, one.axis_names, one.world) == ((channels[1],), "zyx", image.world)
    flat = view("select,axis=z,index=0").applied(image)
    assert (flat.channels, flat.axis_names, flat.world) == (channels, "cyx", image.world)


def test_a_colour_is_an_intensity():
    pixels = noise((3, 5, 6), np.uint8, 256)
    image = pictured(pixels, "cyx", kind="rgb")
    assert view("select,axis=c,index=1").applied(image).kind == "intensity"
    np.testing.assert_array_equal(seen("select,axis=c,index=1", image), pixels[1])
