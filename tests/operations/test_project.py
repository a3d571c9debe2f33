"""Projections equal numpy's over the whole axis, and need no memory for it."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from diascope.errors import BadRequest, Unsupported
from diascope.image.affine import affine
from diascope.image.level import read_whole
from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Region
from diascope.operations import project
from diascope.operations.view import view
from diascope.testing.synthetic import ramp
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "f4", "f8", "?"])
@pytest.mark.parametrize(("axis", "at"), [("t", 0), ("c", 1), ("z", 2)])
def test_methods_are_those_of_numpy(dtype, axis, at):
    pixels = noise((3, 2, 5, 9, 8), "i8", 100).astype(dtype)
    image = pictured(pixels, "tczyx")
    for method in ("max", "min"):
        got = seen(f"project,axis={axis},method={method}", image)
        assert got.dtype == pixels.dtype
        np.testing.assert_array_equal(got, getattr(pixels, method)(axis=at))
    mean = seen(f"project,axis={axis},method=mean", image)
    assert mean.dtype == (np.float64 if dtype in {"u4", "f8"} else np.float32)
    np.testing.assert_allclose(mean, pixels.mean(axis=at, dtype=np.float64), rtol=1e-6)
    total = seen(f"project,axis={axis},method=sum", image)
    assert total.dtype == {"u": np.uint64, "?": np.uint64, "i": np.int64, "f": np.float64}[dtype[0]]
    np.testing.assert_array_equal(total, pixels.astype("f8").sum(axis=at))


@pytest.mark.parametrize(
    ("text", "planes"),
    [("range=2..5", slice(2, 5)), ("range=..3", slice(0, 3)), ("range=3..9,unit=um", slice(2, 5))],
)
def test_a_range_is_a_part_of_the_axis(text, planes):
    pixels = noise((8, 9, 8))
    image = pictured(pixels, "zyx", scale=(2, 1, 1))
    np.testing.assert_array_equal(seen(f"project,{text}", image), pixels[planes].max(axis=0))


def test_a_sum_looks_the_same_at_every_level():
    image = pictured(np.full((7, 64, 64), 1000, np.uint16), "zyx", levels=3)
    assert [level.shape[0] for level in image.levels] == [7, 4, 2]
    for k in range(3):
        assert (seen("project,method=sum", image, k) == 7000).all()
        assert (seen("project,method=mean", image, k) == 1000).all()


def test_an_axis_is_read_a_slab_at_a_time(monkeypatch):
    monkeypatch.setattr(project, "SLAB", 1 << 18)
    image = ramp("zyx", (4096, 256, 256), np.uint16, chunk_shape=(4096, 256, 256))
    level = view("project").applied(image).levels[0]
    tracemalloc.start()
    got = level.read(Region((0, 0), (256, 256)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6  # of an axis of 537 MB
    assert got[0, 0] == 17 * 3855  # the largest multiple of 17 that it holds
    assert got.shape == (256, 256)


def test_not_a_number_is_passed_over_by_extremes_alone():
    pixels = np.array([[[np.nan, np.nan]], [[3, np.nan]], [[-np.inf, np.nan]]], np.float32)
    np.testing.assert_array_equal(seen("project", pictured(pixels, "zyx")), [[3, np.nan]])
    np.testing.assert_array_equal(seen("project,method=min", pictured(pixels, "zyx")), [[-np.inf, np.nan]])
    assert np.isnan(seen("project,method=mean", pictured(pixels, "zyx"))).all()


def test_the_mean_of_colours_is_a_colour():
    pixels = noise((3, 4, 5, 6), "u1", 256)
    got = view("project,method=mean").applied(pictured(pixels, "czyx", kind="rgb"))
    assert (got.kind, got.dtype, got.axis_names) == ("rgb", np.dtype(np.uint8), "cyx")
    np.testing.assert_array_equal(got[...], np.floor(pixels.mean(axis=1) + 0.5))


def test_metadata_follow():
    image = pictured(noise((2, 4, 5, 6)), "czyx", channels=(Channel(name="a", window=(1, 9)), Channel(name="b")))
    image = replace(image, metadata=Metadata(rescale=(2, -5)), world=affine(np.eye(4), "scanner"))
    largest, total = (view(f"project,method={method}").applied(image) for method in ("max", "sum"))
    assert (largest.channels, largest.metadata, largest.world) == (image.channels, image.metadata, None)
    assert (total.channels[0].window, total.metadata.rescale) == (None, (2, -20))
    assert view("project,axis=c").applied(image).channels == ()


def test_what_has_no_meaning_is_refused():
    labels = pictured(noise((4, 5, 6)), "zyx", kind="labels")
    assert view("project").applied(labels).kind == "labels"
    np.testing.assert_array_equal(seen("project", labels), read_whole(labels.levels[0]).max(axis=0))
    for method in ("mean", "sum"):
        with pytest.raises(Unsupported, match="something else"):
            seen(f"project,method={method}", labels)
    colours = pictured(noise((3, 4, 5, 6), "u1"), "czyx", kind="rgb")
    for text in ("project,axis=c", "project,method=sum"):
        with pytest.raises(Unsupported, match="rgb"):
            seen(text, colours)
    with pytest.raises(Unsupported, match="no order"):
        seen("project", pictured(noise((4, 5, 6), "c8"), "zyx"))
    with pytest.raises(BadRequest, match="no axis t"):
        seen("project,axis=t", labels)
    with pytest.raises(BadRequest, match="size along z is 4"):
        seen("project,range=3..5", labels)
