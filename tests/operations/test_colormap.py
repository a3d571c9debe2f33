"""Colours are those of matplotlib, through one look-up."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from diascope.errors import BadRequest, Unsupported
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.operations.colour_table import entries, gradient
from diascope.operations.pointwise import Mapped
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen

BYTES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def shares(name: str) -> np.ndarray:
    return np.frombuffer(entries(name), np.uint8).reshape(256, 3) / 255


@pytest.mark.parametrize("name", sorted(mpl.colormaps))
def test_every_map_of_matplotlib_is_there(name):
    ours = str(view(f"colormap,name={name}")).partition("=")[2]
    different = np.abs(shares(ours) - mpl.colormaps[name](np.linspace(0, 1, 256))[:, :3]) * 255
    # cmap keeps half as many stops of twilight, and another table of gist_stern, with the jump elsewhere.
    most = 60 if name.startswith("gist_stern") else 3 if name.startswith("twilight") else 1.5
    assert different.max() <= most


def test_bytes_are_indices():
    got = seen("colormap,name=viridis", pictured(BYTES, "yx"))
    expected = mpl.colormaps["viridis"](BYTES)[..., :3] * 255
    np.testing.assert_array_equal(got.transpose(1, 2, 0), np.rint(expected))


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "u4", "f4", "f8"])
def test_other_pixels_are_scaled_as_by_window(dtype):
    image = pictured(noise((3, 20, 31), dtype, 120), "zyx", levels=2)
    made = view("colormap,name=magma,low=10,high=100").applied(image)
    assert (made.kind, made.axis_names, made.shape) == ("rgb", "czyx", (3, 3, 20, 31))
    for level in range(2):
        indices = seen("window,low=10,high=100", image, level)
        colours = np.frombuffer(entries("magma"), np.uint8).reshape(256, 3)[indices]
        np.testing.assert_array_equal(
            seen("colormap,name=magma,low=10,high=100", image, level).transpose(1, 2, 3, 0), colours
        )
    np.testing.assert_array_equal(made.levels[0].read(Region((1, 1, 3, 5), (3, 2, 9, 30))), made[1:3, 1:2, 3:9, 5:30])


def test_it_is_one_look_up_with_what_is_before_and_behind():
    image = pictured(noise((20, 31)), "yx")
    text = "gamma,gamma=0.5~window,low=0,high=60000~colormap,name=fire~invert~gamma,gamma=1.5"
    made = view(text).applied(image)
    read = made.levels[0].read_pixels
    assert isinstance(read, Mapped)
    assert len(read.functions) == 5
    colours = seen("gamma,gamma=0.5~window,low=0,high=60000~colormap,name=fire", image)
    again = pictured(np.ascontiguousarray(colours), "cyx", kind="rgb")
    np.testing.assert_array_equal(made[...], seen("invert~gamma,gamma=1.5", again))
    floats = view(f"{text}~cast,dtype=float32,how=scale").applied(image)[...]
    np.testing.assert_allclose(floats, made[...] / np.float32(255), rtol=1e-6)


def test_a_plane_taken_in_between_does_not_part_them():
    image = pictured(noise((1, 4, 20, 31)), "czyx", levels=2)
    made = view("gamma,gamma=0.5~select,axis=z,index=2~window,low=9,high=60000~colormap,name=fire").applied(image)
    assert made.axis_names == "cyx"
    read = made.levels[0].read_pixels
    assert isinstance(read, Mapped)
    assert len(read.functions) == 3
    for level in range(2):
        # Of level 1, whose planes are two and two, index 2 is the second.
        greys = seen("gamma,gamma=0.5~window,low=9,high=60000", image, level)[0, 2 >> level]
        colours = np.frombuffer(entries("fire"), np.uint8).reshape(256, 3)[greys]
        np.testing.assert_array_equal(
            made.levels[level].read(Region((0, 1, 2), made.levels[level].shape)), colours.transpose(2, 0, 1)[:, 1:, 2:]
        )


def test_the_channel_says_what_is_shown_where_nothing_else_does():
    channels = (Channel(window=(5, 900)),)
    image = pictured(noise((1, 9, 8)), "cyx", channels=channels)
    made = view("colormap,name=gray").applied(image)
    assert made.axis_names == "cyx"
    np.testing.assert_array_equal(made[0], seen("select,axis=c,index=0~window,low=5,high=900", image))
    whole = seen("colormap,name=gray", pictured(noise((9, 8), "i2", 300), "yx"))
    np.testing.assert_array_equal(
        whole[1], seen("window,low=-32768,high=32767", pictured(noise((9, 8), "i2", 300), "yx"))
    )


def test_colours_of_ones_own_are_mixed_evenly():
    table = np.frombuffer(gradient(("000000", "ff0000", "ffffff")), np.uint8).reshape(256, 3)
    assert table[[0, 255]].tolist() == [[0, 0, 0], [255, 255, 255]]
    np.testing.assert_array_equal(table[:, 0], np.minimum(2 * np.arange(256), 255))
    np.testing.assert_array_equal(table[:, 1], np.maximum(2 * np.arange(256) - 255, 0))
    np.testing.assert_array_equal(table[:, 1], table[:, 2])


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("colormap,name=VIRIDIS", "colormap,name=viridis"),
        ("colormap,name=bids:viridis_r", "colormap,name=viridis_r"),
        ("colormap,name=imagej:Fire", "colormap,name=fire"),
        ("colormap,high=9,low=1,name=jet", "colormap,name=jet,low=1,high=9"),
    ],
)
def test_a_map_has_one_name(text, canonical):
    assert str(view(text)) == canonical
    assert str(view(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colormap", "either a name or a lut"),
        ("colormap,name=nothing", "no map 'nothing'"),
        ("colormap,name=" + "a" * 900, "no map"),
        ("colormap,name=%23ff0000", "no map"),
        ("colormap,name=jet,colours=000000+ffffff", "either a name or a lut"),
        ("colormap,colours=ff0000", "two colours"),
        ("colormap,name=jet,low=1", "go together"),
        ("colormap,name=jet,low=1,high=1", "differ"),
    ],
)
def test_what_means_nothing_is_refused(text, reason):
    with pytest.raises(BadRequest, match=reason):
        view(text)


def test_what_has_no_colours_of_a_map_is_refused_with_the_way_out():
    with pytest.raises(Unsupported, match="render"):
        seen("colormap,name=jet", pictured(noise((4, 5)), "yx", kind="labels"))
    with pytest.raises(Unsupported, match="select"):
        seen("colormap,name=jet", pictured(noise((3, 4, 5), "u1", 9), "cyx", kind="rgb"))
    with pytest.raises(Unsupported, match="blend"):
        seen("colormap,name=jet", pictured(noise((2, 4, 5)), "cyx"))
    with pytest.raises(BadRequest, match="give low and high"):
        seen("colormap,name=jet", pictured(noise((4, 5), "f4"), "yx"))


def test_neither_matplotlib_nor_an_index_of_maps_is_imported_for_what_needs_none():
    code = """
import sys
from diascope.operations.view import view
view("window,low=0,high=9~channels")
assert "cmap" not in sys.modules
view("colormap,name=viridis")
assert "cmap" in sys.modules and "matplotlib" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
