"""Channels are selected, coloured and blended as said."""

from __future__ import annotations

import numpy as np
import pytest

from diascope.errors import BadRequest, Unsupported
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen

CHANNELS = (Channel(name="a", window=(0, 1000)), Channel(name="b", colour="00ff00"), Channel(name="c"))


@pytest.mark.parametrize("depth", [1, 3])
def test_channels_are_picked_and_put_in_order(depth):
    from dataclasses import replace

    pixels = noise((3, 4, 5))
    image = pictured(pixels, "cyx", channels=CHANNELS)
    image = replace(image, levels=(replace(image.levels[0], chunk_shape=(depth, 4, 5)),))
    got = view("channels,show=2+0").applied(image)
    np.testing.assert_array_equal(got[...], pixels[[2, 0]])
    np.testing.assert_array_equal(got.levels[0].read(Region((1, 1, 2), (2, 3, 5))), pixels[[0], 1:3, 2:5])
    assert got.channels == (CHANNELS[2], CHANNELS[0])


def test_colours_and_limits_are_told_without_touching_pixels():
    image = pictured(noise((3, 4, 5)), "cyx", channels=CHANNELS)
    got = view("channels,show=1+0,colours=FF8000+0000ff,low=5+6,high=7+8").applied(image)
    assert got.channels == (
        Channel(name="b", colour="ff8000", window=(5, 7)),
        Channel(name="a", colour="0000ff", window=(6, 8)),
    )
    np.testing.assert_array_equal(got[...], image[...][[1, 0]])


def _blended(greys, colours):
    """In exact integers, one channel after another."""
    total = np.zeros((*greys[0].shape, 3), int)
    for grey, colour in zip(greys, colours, strict=True):
        rgb = [int(colour[k : k + 2], 16) for k in (0, 2, 4)]
        total += (2 * grey.astype(int)[..., None] * rgb + 255) // 510
    return np.minimum(total, 255).astype(np.uint8)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4"])
@pytest.mark.parametrize("colours", ["ff0000+00ff00+0000ff", "ffffff+ffffff+ffffff", "336699+ff8001+00007f"])
def test_blended_channels_are_the_clipped_sum_of_their_windows(dtype, colours):
    pixels = noise((2, 3, 3, 14, 15), dtype, 120)
    image = pictured(pixels, "tczyx", levels=2)
    view_text = f"channels,colours={colours},low=3+0+50,high=100+255+20,blend=true"
    rendered = view(view_text).applied(image)
    assert (rendered.kind, rendered.axis_names, rendered.shape) == ("rgb", "tczyx", (2, 3, 3, 14, 15))
    for k in range(2):
        greys = [
            seen(f"select,axis=c,index={c}~window,low={low},high={high}", image, k)
            for c, (low, high) in enumerate([(3, 100), (0, 255), (50, 20)])
        ]
        expected = np.moveaxis(_blended(greys, colours.split("+")), -1, 1)
        np.testing.assert_array_equal(seen(view_text, image, k), expected)


@pytest.mark.parametrize("mode", ["max", "screen", "min"])
@pytest.mark.parametrize("colours", ["ff0000+00ff00+0000ff", "336699+ff8001+00007f", "ffffff+ffffff+ffffff"])
def test_other_modes_are_what_they_are_in_other_viewers(mode, colours):
    image = pictured(noise((3, 14, 15), "u2", 300), "cyx")
    text = f"channels,colours={colours},low=3+0+50,high=100+255+300,blend=true,mode={mode},gamma=1+0.5+2"
    shares = np.array([[int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4)] for colour in colours.split("+")])
    greys = [
        seen(f"select,axis=c,index={c}~window,low={low},high={high},gamma={gamma}", image) / 255
        for c, (low, high, gamma) in enumerate([(3, 100, 1), (0, 255, 0.5), (50, 300, 2)])
    ]
    parts = np.array(greys)[:, None] * shares[:, :, None, None]
    white = 1 - np.array(greys)[:, None] * (1 - shares[:, :, None, None])
    expected = {"max": parts.max(axis=0), "screen": 1 - (1 - parts).prod(axis=0), "min": white.min(axis=0)}[mode]
    # Each channel and each step of a screen is rounded by itself.
    assert np.abs(seen(text, image) - expected * 255).max() <= (1.6 if mode == "screen" else 0.51)


def test_nothing_is_black_on_black_and_white_on_white():
    image = pictured(np.zeros((2, 3, 4), "u1"), "cyx")
    for mode, expected in (("add", 0), ("max", 0), ("screen", 0), ("min", 255)):
        view_text = "channels,blend=true" + ("" if mode == "add" else f",mode={mode}")
        assert (seen(view_text, image) == expected).all()


def test_a_channel_is_blended_between_its_own_limits_or_those_of_its_type():
    image = pictured(noise((3, 4, 5)), "cyx", channels=CHANNELS)
    got = seen("channels,blend=true", image)
    greys = [
        seen("select,axis=c,index=0~window,low=0,high=1000", image),
        seen("select,axis=c,index=1~window,low=0,high=65535", image),
        seen("select,axis=c,index=2~window,low=0,high=65535", image),
    ]
    np.testing.assert_array_equal(got, np.moveaxis(_blended(greys, ["ff0000", "00ff00", "0000ff"]), -1, 0))


def test_an_image_without_the_axis_has_one_channel():
    image = pictured(noise((6, 5), "u1", 256), "yx")
    got = view("channels,colours=ff0080,blend=true").applied(image)
    assert got.axis_names == "cyx"
    np.testing.assert_array_equal(got[...], np.moveaxis(_blended([image[...]], ["ff0080"]), -1, 0))
    assert view("channels,colours=ff0080").applied(image).channels[0].colour == "ff0080"


def test_colours_lie_interleaved_in_memory():
    got = seen("channels,blend=true", pictured(noise((2, 6, 5)), "cyx"))
    assert got.transpose(1, 2, 0).flags.c_contiguous


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("channels,show=3", "there are 3"),
        ("channels,show=1+1", "twice"),
        ("channels,colours=ff0000", "1 members for 3"),
        ("channels,low=1+2,show=0", "2 members for 1"),
        ("channels,show=0,low=5,high=5", "differ"),
        ("channels,show=1,low=5", "both be given"),
        ("channels,mode=max", "go with blend=true"),
        ("channels,gamma=1+1+1", "go with blend=true"),
        ("channels,gamma=1+1,blend=true", "2 members for 3"),
        ("channels,gamma=0+1+1,blend=true", "between"),
        ("channels,blend=true,mode=over", "mode: "),
    ],
)
def test_what_does_not_fit_is_refused(text, reason):
    with pytest.raises(BadRequest, match=reason):
        seen(text, pictured(noise((3, 4, 5)), "cyx", channels=CHANNELS))


def test_blending_needs_limits():
    with pytest.raises(BadRequest, match="channel 0, float32"):
        seen("channels,blend=true", pictured(noise((4, 5), "f4"), "yx"))
    with pytest.raises(Unsupported, match="render"):
        seen("channels,blend=true", pictured(noise((4, 5)), "yx", kind="labels"))
    with pytest.raises(Unsupported, match="colours already"):
        seen("channels,show=0", pictured(noise((3, 4, 5), "u1"), "cyx", kind="rgb"))
