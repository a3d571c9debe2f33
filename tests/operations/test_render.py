"""A rendered image is what a viewer shows."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diascope.errors import BadRequest
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory, read_whole
from diascope.image.metadata import Channel
from diascope.image.pyramid import with_pyramid
from diascope.image.region import Region
from diascope.operations.contrast import limits, samples
from diascope.operations.view import view
from diascope.sources.reading.pictures.indexed import indexed
from diascope.testing.synthetic import ramp
from tests.operations.pictures import noise, pictured, seen


def _grey(pixels: Any) -> Any:
    return np.stack([pixels] * 3)


def test_bytes_are_shown_as_they_are():
    pixels = noise((2, 5, 30, 40), "u1", 90)
    image = pictured(pixels, "tzyx", levels=2)
    got = view("render").applied(image)
    assert (got.kind, got.axis_names, got.dtype, got.channels) == ("rgb", "cyx", np.dtype(np.uint8), ())
    assert [level.shape for level in got.levels] == [(3, 30, 40), (3, 15, 20)]
    assert got.levels[1].scale == (1, 2, 2)
    assert got.levels[1].translation == (0, 0.5, 0.5)
    np.testing.assert_array_equal(got[...], _grey(pixels[0, 2]))
    np.testing.assert_array_equal(seen("render,z=-1,t=1", image), _grey(pixels[1, 4]))
    np.testing.assert_array_equal(seen("render", image, 1), _grey(seen("select,axis=t,index=0", image, 1)[1]))
    assert got[...].transpose(1, 2, 0).flags.c_contiguous


def test_other_pixels_are_stretched_from_the_coarsest_level():
    pixels = noise((600, 700), "u2", 5000)
    pixels[3, 4] = 65_535
    image = pictured(pixels, "yx", levels=3)
    coarse = np.sort(image.levels[2].read_pixels(Region((0, 0), (150, 175))).ravel())
    low, high = coarse[int(0.001 * (coarse.size - 1))], coarse[round(0.999 * (coarse.size - 1))]
    np.testing.assert_array_equal(seen("render", image), _grey(seen(f"window,low={low},high={high}", image)))


def test_planes_stay_comparable():
    pixels = np.stack([np.full((20, 20), 10, "u2"), noise((20, 20), "u2", 100), np.full((20, 20), 90, "u2")])
    image = pictured(pixels, "zyx")
    dark, bright = (int(seen(f"render,z={z}", image).max()) for z in (0, 2))
    assert dark < 60
    assert bright > 200


def test_channels_have_their_own_colours_and_limits():
    pixels = noise((3, 20, 30))
    channels = (Channel(window=(0, 6000)), Channel(colour="ff00ff", window=(50, 9000)), Channel(window=(9, 1000)))
    image = pictured(pixels, "cyx", channels=channels)
    asked = "channels,colours=ff0000+ff00ff+0000ff,low=0+50+9,high=6000+9000+1000,blend=true"
    np.testing.assert_array_equal(seen("render", image), seen(asked, image))


def test_one_channel_is_grey_unless_it_has_a_colour():
    pixels = noise((1, 20, 30), "u1", 256)
    np.testing.assert_array_equal(seen("render", pictured(pixels, "cyx")), _grey(pixels[0]))
    red = seen("render", pictured(pixels, "cyx", channels=(Channel(colour="ff0000"),)))
    np.testing.assert_array_equal(red, [pixels[0], 0 * pixels[0], 0 * pixels[0]])


def test_more_channels_than_colours_are_not_blended():
    pixels = np.zeros((9, 4, 4), "u1")
    pixels[7:] = 255
    assert not seen("render", pictured(pixels, "cyx")).any()


def test_colours_that_share_a_window_are_scaled_from_it():
    deep = np.array([0, 511.5, 1023]).astype(np.uint16).reshape(3, 1, 1)
    image = pictured(deep, "cyx", kind="rgb")
    shared = replace(image, channels=(Channel(window=(0.0, 1023.0)),) * 3)
    np.testing.assert_array_equal(seen("render", shared).ravel(), [0, 127, 255])
    one = replace(image, channels=(Channel(window=(0.0, 1023.0)), Channel(), Channel()))
    np.testing.assert_array_equal(seen("render", one).ravel(), [0, 2, 4])


def test_rgb_stays_and_deep_colours_become_bytes():
    pixels = noise((4, 20, 30), "u1", 256)
    np.testing.assert_array_equal(seen("render", pictured(pixels, "cyx", kind="rgb")), pixels)
    deep = noise((3, 5, 20, 30), "u2", 65_536)
    got = seen("render", pictured(deep, "czyx", kind="rgb"))
    np.testing.assert_array_equal(got, np.floor(deep[:, 2] / 257 + 0.5))
    shares = np.array([0, 0.5, 1, 2, -1, np.nan]).reshape(3, 1, 2)
    np.testing.assert_array_equal(seen("render", pictured(shares, "cyx", kind="rgb")).ravel(), [0, 128, 255, 255, 0, 0])


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "u8"])
def test_each_label_has_its_colour(dtype):
    labels = np.arange(120).reshape(10, 12).astype(dtype)
    got = seen("render", pictured(labels, "yx", kind="labels"))
    assert got.shape == (3, 10, 12)
    assert not got[:, 0, 0].any()
    assert got.reshape(3, -1)[:, 1:].min() >= 64
    assert len({tuple(colour) for colour in got.reshape(3, -1).T.tolist()}) == 120
    if dtype != "u1":
        np.testing.assert_array_equal(got, seen("render", pictured(labels.astype("u8"), "yx", kind="labels")))


def test_masks_complex_numbers_and_gaps_are_shown():
    mask = noise((20, 30), "u1", 2).astype(bool)
    np.testing.assert_array_equal(seen("render", pictured(mask, "yx")), _grey(mask * np.uint8(255)))
    wave = noise((20, 30), "f4", 200) * np.exp(1j)
    np.testing.assert_array_equal(seen("render", pictured(wave, "yx")), seen("render", pictured(np.abs(wave), "yx")))
    gaps = noise((20, 30), "f4", 200)
    gaps[:5] = np.nan
    got = seen("render", pictured(gaps, "yx"))
    assert not got[:, :5].any()
    assert got[:, 5:].max() == 255
    assert not seen("render", pictured(np.full((20, 30), np.nan), "yx")).any()


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (7, 255), (-3, 0)])
def test_a_plain_image_is_black_or_white(value, shown):
    assert (seen("render", pictured(np.full((20, 30), value, "i2"), "yx")) == shown).all()


def test_rare_bright_pixels_show():
    pixels = np.zeros((100, 100), "u2")
    pixels[50, 50] = 300
    got = seen("render", pictured(pixels, "yx"))
    assert got.max() == 255
    assert (got > 0).sum() == 3


def test_limits_are_told_once_at_the_first_read():
    reads: list[Region] = []
    level = in_memory(noise((64, 64)))

    def read_pixels(region: Region) -> Any:
        reads.append(region)
        return level.read_pixels(region)

    image = replace(pictured(noise((64, 64)), "yx"), levels=(replace(level, read_pixels=read_pixels),))
    got = view("render").applied(image)
    assert not reads
    corner = Region((0, 0, 0), (3, 8, 8))
    threads = [threading.Thread(target=got.levels[0].read, args=(corner,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(region.shape == (64, 64) for region in reads) == 1
    assert len(reads) == 9


def test_limits_of_a_huge_image_cost_a_bounded_number_of_pixels():
    for levels in (1, 12):
        image = ramp("yx", (10**6, 10**6), np.uint16, levels=levels)
        blocks = list(samples(image))
        assert 1000 < sum(block.size for block in blocks) <= 1 << 20
        low, high = limits(image)
        assert 0 <= low < 1000
        assert 60_000 < high < 65_536


def test_a_plane_that_is_not_there_is_refused():
    with pytest.raises(BadRequest, match="the image has 5"):
        seen("render,z=5", pictured(noise((5, 4, 4)), "zyx"))
    with pytest.raises(BadRequest, match="no axis t"):
        seen("render,t=0", pictured(noise((5, 4, 4)), "zyx"))


def test_indices_of_a_palette_are_shown_in_its_colours_at_every_level():
    indices = np.kron(np.array([[0, 1], [2, 9]]), np.ones((300, 300), int)).astype(np.uint8)
    image = Image(name="p", kind="intensity", axes=axes_named("yx"), levels=(in_memory(indices),))
    image = with_pyramid(indexed(image, ["ff0000", "00ff00", "0000ff"]))
    assert image.kind == "labels"
    for level in view("render").applied(image).levels:
        corners = read_whole(level)[:, :: level.shape[1] - 1, :: level.shape[2] - 1].reshape(3, 4).T
        np.testing.assert_array_equal(corners, [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]])


def test_a_palette_may_have_a_colour_for_every_byte():
    colours = [f"{(k * 97) % 256:02x}{k:02x}00" for k in range(256)]
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image(name="p", kind="intensity", axes=axes_named("yx"), levels=(in_memory(pixels),))
    got = view("render").applied(indexed(image, colours))
    assert got[:, 15, 15].tolist() == [(255 * 97) % 256, 255, 0]


def test_a_palette_that_grows_brighter_is_a_look_up_table_of_intensities():
    image = Image(name="p", kind="intensity", axes=axes_named("yx"), levels=(in_memory(np.eye(4, dtype=np.uint8)),))
    image = indexed(image, ["000000", "400000", "ff8000"])
    assert image.kind == "intensity"
    assert tuple(view("render").applied(image)[:, 1, 1]) == (0x40, 0, 0)
