"""A cast does to values what its address says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.util import img_as_ubyte, img_as_uint

from diascope.errors import BadRequest, Unsupported
from diascope.image.metadata import Channel
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen

WHOLE = {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"}


@pytest.mark.parametrize("dtype", sorted(WHOLE))
@pytest.mark.parametrize("result", sorted(WHOLE))
def test_integers_are_clipped_exactly(dtype, result):
    info, kept = np.iinfo(dtype), np.iinfo(result)
    values = [info.min, -3, 0, 1, 100, 200, 40_000, 2**40, 2**53 + 1, info.max]
    pixels = np.array([[v for v in values if info.min <= v <= info.max]], dtype)
    got = seen(f"cast,dtype={np.dtype(result)},how=clip", pictured(pixels, "yx"))
    assert got.dtype == result
    assert got[0].tolist() == [min(max(v, kept.min), kept.max) for v in pixels[0].tolist()]


@pytest.mark.parametrize("result", sorted(WHOLE))
def test_floats_are_rounded_and_clipped(result):
    kept = np.iinfo(result)
    pixels = np.array([[np.nan, -np.inf, np.inf, 0.5, 1.5, -0.5, -1.5, 2.4, 1e30]], "f4")
    got = seen(f"cast,dtype={np.dtype(result)},how=clip", pictured(pixels, "yx"))[0].tolist()
    assert got[:2] == [0, kept.min]
    # The doubles next to the ends of 64 bits lie a little inside.
    assert abs(got[2] - kept.max) <= 2**11 * (kept.bits == 64)
    assert got[3:8] == [0, 2, 0, max(-2, kept.min), 2]
    assert got[8] == got[2]


def test_scaled_bytes_are_those_of_scikit_image():
    pixels = np.random.default_rng(1).random((20, 30))
    np.testing.assert_array_equal(seen("cast,dtype=uint8,how=scale", pictured(pixels, "yx")), img_as_ubyte(pixels))
    np.testing.assert_array_equal(
        seen("cast,dtype=uint16,how=scale", pictured(noise((9, 9), "u1", 256), "yx")),
        img_as_uint(noise((9, 9), "u1", 256)),
    )


@pytest.mark.parametrize(("dtype", "result"), [("u1", "i2"), ("u2", "i1"), ("i1", "u1"), ("u4", "u2"), ("u1", "f4")])
def test_ends_go_to_ends(dtype, result):
    info = np.iinfo(dtype)
    ends = (np.iinfo(result).min, np.iinfo(result).max) if result != "f4" else (0, 1)
    got = seen(f"cast,dtype={np.dtype(result)},how=scale", pictured(np.array([[info.min, info.max]], dtype), "yx"))
    assert tuple(got[0].tolist()) == ends


def test_what_is_wrapped_keeps_its_lowest_bits():
    got = seen("cast,dtype=uint8,how=wrap", pictured(np.array([[0, 255, 256, 1000, 65535]], "u2"), "yx"))
    assert got[0].tolist() == [0, 255, 0, 1000 % 256, 255]


def test_labels_keep_every_value_or_are_refused():
    labels = noise((4, 5), "u8", 2**32)
    got = seen("cast,dtype=uint32,how=exact", pictured(labels, "yx", kind="labels"))
    assert got.dtype == np.uint32
    np.testing.assert_array_equal(got, labels)
    with pytest.raises(Unsupported, match="70000 has no place in uint16"):
        seen("cast,dtype=uint16,how=exact", pictured(np.array([[1, 70_000]], "u4"), "yx", kind="labels"))
    for text in ("cast,dtype=uint8,how=clip", "cast,dtype=uint8,how=wrap", "cast,dtype=float32,how=exact"):
        with pytest.raises(Unsupported, match="how=exact"):
            seen(text, pictured(labels, "yx", kind="labels"))


@pytest.mark.parametrize(
    ("value", "dtype", "result"),
    [(-1, "i4", "uint32"), (0.5, "f4", "int16"), (2**24 + 1, "i4", "float32"), (2.0**63, "f8", "int64")],
)
def test_a_value_that_would_change_is_named(value, dtype, result):
    with pytest.raises(Unsupported, match="has no place in"):
        seen(f"cast,dtype={result},how=exact", pictured(np.array([[0, value]], dtype), "yx"))


def test_limits_of_channels_are_scaled_along():
    image = pictured(noise((4, 5), "u1", 256), "yx", channels=(Channel(window=(0, 255)),))
    assert view("cast,dtype=uint16,how=scale").applied(image).channels[0].window == (0, 65535)
    assert view("cast,dtype=uint16,how=clip").applied(image).channels[0].window == (0, 255)
    assert view("cast,dtype=uint16,how=wrap").applied(image).channels[0].window == (0, 255)
    assert view("cast,dtype=int8,how=wrap").applied(image).channels[0].window is None


@pytest.mark.parametrize(
    ("text", "dtype", "reason"),
    [
        ("cast,dtype=uint8,how=clip", "c8", "magnitude"),
        ("cast,dtype=uint8,how=clip", "?", "mask"),
        ("cast,dtype=uint8,how=wrap", "f4", "lowest bits"),
        ("cast,dtype=float32,how=wrap", "u1", "lowest bits"),
    ],
)
def test_what_makes_no_sense_is_refused(text, dtype, reason):
    with pytest.raises(Unsupported, match=reason):
        seen(text, pictured(noise((4, 5), "u1", 2).astype(dtype), "yx"))


@pytest.mark.parametrize("text", ["cast,dtype=uint8", "cast,how=clip", "cast,dtype=bool,how=clip"])
def test_both_must_be_told(text):
    with pytest.raises(BadRequest):
        view(text)
