"""A crop keeps pixels where they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diascope.errors import BadRequest, Unsupported
from diascope.image.affine import affine
from diascope.image.metadata import Channel
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen


def test_indices_are_those_of_level_0():
    pixels = noise((2, 3, 5, 40, 50))
    image = pictured(pixels, "tczyx", channels=tuple(Channel(name=n) for n in "abc"))
    got = view("crop,x=7..21,y=..9,z=2..4,t=1..,c=1..3").applied(image)
    np.testing.assert_array_equal(got[...], pixels[1:, 1:3, 2:4, :9, 7:21])
    assert [channel.name for channel in got.channels] == ["b", "c"]
    assert got.levels[0].translation == (1, 0, 2, 0, 7)


def test_every_level_lies_where_it_lay():
    """Fine rows equal to their own positions: each level's pixels must equal the positions that it claims."""
    x = np.broadcast_to(np.arange(64, dtype=np.float64) * 0.25 + 3, (64, 64))
    image = pictured(x, "yx", scale=(0.5, 0.25), translation=(10, 3), levels=4)
    for start, stop in [(0, 64), (8, 40), (5, 39), (13, 20)]:
        for level in view(f"crop,x={start}..{stop}").applied(image).levels:
            pixels = level.read_pixels(_all(level))
            claimed = level.translation[1] + level.scale[1] * np.arange(level.shape[1])
            np.testing.assert_allclose(pixels[0], claimed)
            # All of the fine box is covered, and less than a coarse pixel more at each side.
            edges = claimed[0] - level.scale[1] / 2, claimed[-1] + level.scale[1] / 2
            first, last = 3 + (start - 0.5) * 0.25, 3 + (stop - 0.5) * 0.25
            assert 0 <= first - edges[0] < level.scale[1]
            assert 0 <= edges[1] - last < level.scale[1]


def _all(level):
    from diascope.image.region import whole

    return whole(level.shape)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("crop,y=10..12,unit=um", slice(0, 4)),
        ("crop,y=10.1..12.1,unit=um", slice(1, 5)),
        ("crop,y=..0.0115,unit=mm", slice(0, 3)),
        ("crop,y=12..,unit=um", slice(4, 20)),
        ("crop,y=12000..13000,unit=nm", slice(4, 6)),
    ],
)
def test_positions_keep_the_pixels_whose_centres_they_hold(text, rows):
    pixels = noise((20, 8))
    image = pictured(pixels, "yx", scale=(0.5, 0.5), translation=(10, 0))
    np.testing.assert_array_equal(seen(text, image), pixels[rows])


def test_a_unit_is_for_its_own_axes():
    pixels = noise((5, 9, 8))
    image = pictured(pixels, "tyx", scale=(2, 0.5, 0.5))
    np.testing.assert_array_equal(seen("crop,t=2..4,y=1..2,unit=um", image), pixels[2:4, 2:4])
    np.testing.assert_array_equal(seen("crop,t=2..6,y=1..2,unit=s", image), pixels[1:3, 1:2])
    with pytest.raises(BadRequest, match="measures none"):
        seen("crop,y=1..2,unit=s", image)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("crop,x=0..51", "size along x is 50"),
        ("crop,x=50..", "size along x is 50"),
        ("crop,x=-3..5", "size along x is 50"),
        ("crop,x=1.5..5", "no whole number"),
        ("crop,z=0..1", "no axis z"),
        ("crop,x=0..500,unit=um", "from 0 to 49 um"),
        ("crop,x=1.2..1.4,unit=um", "holds no pixel"),
        ("crop,x=1e300..", "size along x is 50"),
        ("crop,x=1e308..,unit=km", "from 0 to 4.9e-08 km"),
        ("crop,x=..1e308,unit=km", "from 0 to 4.9e-08 km"),
    ],
)
def test_a_box_outside_is_refused_with_the_size(text, reason):
    with pytest.raises(BadRequest, match=reason):
        seen(text, pictured(noise((40, 50)), "yx"))


def test_positions_need_a_unit_of_the_image():
    with pytest.raises(BadRequest, match="no known unit"):
        seen("crop,x=1..2,unit=um", pictured(noise((40, 50)), "yx", units={}))


def test_colours_stay_together():
    with pytest.raises(Unsupported, match="select,axis=c"):
        seen("crop,c=0..1", pictured(noise((3, 4, 5), np.uint8), "cyx", kind="rgb"))


def test_a_coarse_level_of_one_pixel_is_left_out():
    image = pictured(noise((64, 64)), "yx", levels=5)
    assert [level.shape for level in view("crop,x=3..5,y=4..6").applied(image).levels] == [(2, 2), (1, 2), (1, 2)]


def test_the_world_stays():
    image = replace(pictured(noise((4, 8, 9)), "zyx"), world=affine(np.eye(4), "scanner"))
    assert view("crop,x=1..2").applied(image).world == image.world
