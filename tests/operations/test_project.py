"""Projections equal numpy's over the whole axis, and need no memory for it."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import correlate1d, gaussian_filter

from diascope.errors import BadRequest, TooLarge, Unsupported
from diascope.image.affine import affine
from diascope.image.image import Image
from diascope.image.level import Level, read_whole
from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Region, touched
from diascope.operations import columns, folds
from diascope.operations.view import view
from diascope.testing.synthetic import ramp
from tests.operations.pictures import noise, pictured, seen


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "f4", "f8", "?"])
@pytest.mark.parametrize(("axis", "at"), [("t", 0), ("c", 1), ("z", 2), ("y", 3), ("x", 4)])
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
    for method in ("std", "median"):
        got = seen(f"project,axis={axis},method={method}", image)
        assert got.dtype == mean.dtype
        expected = getattr(np, method)(pixels.astype("f8"), axis=at)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6 if got.dtype == "f4" else 1e-13)


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
    monkeypatch.setattr(columns, "SLAB", 1 << 18)
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
    deviation = view("project,method=std").applied(image)
    assert (deviation.channels[0].window, deviation.metadata.rescale) == (None, (2, 0))


def test_what_has_no_meaning_is_refused():
    labels = pictured(noise((4, 5, 6)), "zyx", kind="labels")
    assert view("project").applied(labels).kind == "labels"
    np.testing.assert_array_equal(seen("project", labels), read_whole(labels.levels[0]).max(axis=0))
    for method in ("mean", "sum", "std", "median", "edf"):
        with pytest.raises(Unsupported, match="something else"):
            seen(f"project,method={method}", labels)
    colours = pictured(noise((3, 4, 5, 6), "u1"), "czyx", kind="rgb")
    for text in ("project,axis=c", "project,method=sum", "project,method=std"):
        with pytest.raises(Unsupported, match="rgb"):
            seen(text, colours)
    with pytest.raises(Unsupported, match="a plane is a line"):
        seen("project,axis=y", pictured(noise((5, 6)), "yx"))
    with pytest.raises(Unsupported, match="different things"):
        seen("project,axis=c,method=edf", pictured(noise((3, 5, 6)), "cyx"))
    with pytest.raises(BadRequest, match="radius goes with"):
        view("project,radius=2")
    with pytest.raises(TooLarge, match="the limit is 4096"):
        view("project,method=median").applied(ramp("zyx", (4097, 5, 6)))
    deep = ramp("zyx", (1 << 20, 1 << 20, 1 << 20), chunk_shape=(1, 1024, 1024))
    with pytest.raises(TooLarge, match="stored pixels"):
        view("project").applied(deep)
    assert view("project,range=0..60000").applied(deep).shape == (1 << 20, 1 << 20)
    with pytest.raises(Unsupported, match="no order"):
        seen("project", pictured(noise((4, 5, 6), "c8"), "zyx"))
    with pytest.raises(Unsupported, match="smoothed"):
        seen("project,method=edf", pictured(noise((4, 5, 6), "?"), "zyx"))
    with pytest.raises(BadRequest, match="no axis t"):
        seen("project,axis=t", labels)
    with pytest.raises(BadRequest, match="size along z is 4"):
        seen("project,range=3..5", labels)


class Noting:
    """An image that notes the regions that are read of it."""

    def __init__(self, image: Image) -> None:
        self.read: list[Region] = []
        self.image = replace(image, levels=tuple(map(self._noted, image.levels)))

    def _noted(self, level: Level) -> Level:
        def read_pixels(region: Region) -> Any:
            self.read.append(region)
            return level.read_pixels(region)

        return replace(level, read_pixels=read_pixels)

    def chunks(self) -> Counter[tuple[int, ...]]:
        """How often each chunk was read."""
        return Counter(index for region in self.read for index in touched(region, self.image.levels[0].chunk_shape))


@pytest.mark.parametrize("axis", ["t", "z", "y", "x"])
@pytest.mark.parametrize("method", ["max", "mean", "std"])
def test_every_chunk_is_read_once_in_little_memory(axis, method, monkeypatch):
    monkeypatch.setattr(columns, "SLAB", 1 << 17)
    image = ramp("tzyx", (6, 22, 300, 320), chunk_shape=(2, 4, 64, 64))
    noting = Noting(image)
    level = view(f"project,axis={axis},method={method}").applied(noting.image).levels[0]
    region = Region(tuple(n // 4 for n in level.shape), tuple(n - n // 5 for n in level.shape))
    got = level.read(region)
    assert set(noting.chunks().values()) == {1}
    assert max(prod(each.shape) for each in noting.read) * 2 <= 1 << 17
    assert len(noting.read) > 10
    pixels = np.asarray(image[...], "f8")
    expected = getattr(np, method)(pixels, axis="tzyx".index(axis))
    np.testing.assert_allclose(got, expected[region.slices], rtol=1e-6)


@pytest.mark.parametrize("method", ["max", "sum", "std", "median", "edf"])
def test_memory_does_not_grow_with_the_axis(method, monkeypatch):
    monkeypatch.setattr(columns, "SLAB", 1 << 20)
    image = ramp("zyx", (3000, 512, 512), np.uint16, chunk_shape=(16, 128, 128))
    planes = 300 if method in {"median", "edf", "std"} else 3000
    level = view(f"project,range=0..{planes},method={method}").applied(image).levels[0]
    level.read(Region((100, 100), (102, 102)))  # what is loaded or compiled at first use
    tracemalloc.start()
    level.read(Region((100, 100), (356, 356)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24e6  # of 39 MB of 300 planes, and 390 MB of all


def test_a_tile_of_ten_thousand_planes_is_made_of_its_own_columns():
    noting = Noting(ramp("zyx", (10_000, 1_000_000, 1_000_000), chunk_shape=(16, 64, 64)))
    level = view("project,method=max").applied(noting.image).levels[0]
    assert level.cost == 10_000
    got = level.read(Region((64_000, 64_000), (64_064, 64_064)))
    assert sum(prod(each.shape) for each in noting.read) == 10_000 * 64 * 64
    assert set(noting.chunks().values()) == {1}
    z = np.arange(10_000)[:, None] * 17
    assert got[5, 9] == ((z + (64_005 * 3 + 64_009)) % 65_536).max()


def test_a_volume_without_rows_or_columns_is_seen_from_the_front_or_the_side():
    image = pictured(noise((6, 30, 40)), "zyx", scale=(2, 1, 0.5), levels=2)
    image = replace(image, world=affine(np.diag([1, 2, 3, 1]), "scanner"))
    for axis, axes in (("y", "yzx"), ("x", "xzy")):
        for method in ("max", "std"):
            one = view(f"project,axis={axis},method={method}").applied(image)
            other = view(f"permute,axes={axes}~project,method={method}").applied(image)
            assert (one.shape, one.levels[1].scale, one.world) == (other.shape, other.levels[1].scale, other.world)
            for k in range(2):
                np.testing.assert_array_equal(read_whole(one.levels[k]), read_whole(other.levels[k]))
    np.testing.assert_array_equal(seen("project,axis=x,range=3..4,unit=um", image), image[...][:, :, 6:8].max(axis=2))


def test_deviations_of_more_planes_than_fit_exact_sums(monkeypatch):
    pixels = noise((23, 9, 8), "i2", 30_000) - np.int16(15_000)
    whole = seen("project,method=std", pictured(pixels, "zyx"))
    monkeypatch.setattr(folds, "EXACT", 5)
    for got in (whole, seen("project,method=std", pictured(pixels, "zyx"))):
        np.testing.assert_allclose(got, pixels.std(axis=0, dtype="f8"), rtol=1e-6)


def test_a_deviation_of_large_numbers_is_not_lost():
    pixels = 1e9 + noise((50, 9, 8), "f8", 3)
    np.testing.assert_allclose(seen("project,method=std", pictured(pixels, "zyx")), pixels.std(axis=0), rtol=1e-6)
    assert (seen("project,method=std", pictured(np.full((5, 9, 8), 7, "u2"), "zyx")) == 0).all()


def focus_series(dtype: str) -> tuple[Any, Any]:
    """A plane that is sharp everywhere, and planes that each are sharp in a stripe of it."""
    sharp = gaussian_filter(np.random.default_rng(3).uniform(0, 250, (96, 128)), 0.7)
    depth = np.linspace(0, 4, 128)[None]
    planes = [
        np.choose(
            np.minimum(np.abs(depth - k).round().astype(int), 3),
            [gaussian_filter(sharp, s) if s else sharp for s in (0, 1.5, 3, 4.5)],
        )
        for k in range(5)
    ]
    return sharp, np.stack(planes).astype(dtype)


@pytest.mark.judge
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_extended_depth_of_field_is_the_mean_weighted_by_sharpness(dtype):
    sharp, planes = focus_series(dtype)
    image = pictured(planes, "zyx", scale=(1, 0.5, 0.25))
    got = seen("project,method=edf,radius=1.5", image)
    assert got.dtype == planes.dtype
    energy = [
        correlate1d(p, [-1, 2, -1], axis=0, mode="nearest") ** 2
        + correlate1d(p, [-1, 2, -1], axis=1, mode="nearest") ** 2
        for p in planes.astype("f8")
    ]
    # Beyond the edge pixels are repeated before anything else is done, so that the border is left out.
    weights = np.stack([gaussian_filter(e, (3, 6), mode="nearest", radius=(12, 24)) for e in energy]) ** 2
    expected = (weights * planes).sum(axis=0) / weights.sum(axis=0)
    inside = (slice(13, -13), slice(25, -25))
    tolerance = 1e-3 if dtype == "f4" else 0.501
    np.testing.assert_allclose(got[inside], expected[inside], atol=tolerance)
    errors = [np.abs(plane - sharp)[inside].mean() for plane in (*planes, planes.mean(axis=0))]
    assert np.abs(got - sharp)[inside].mean() < min(errors) / 3


def test_extended_depth_of_field_takes_its_colours_from_the_same_planes():
    sharp, planes = focus_series("u1")
    colours = np.stack([planes, planes // 2, 255 - planes, np.full_like(planes, 255)])
    image = pictured(colours, "czyx", kind="rgb", scale=(1, 1, 0.5, 0.25))
    got = view("project,method=edf,radius=1").applied(image)
    assert (got.kind, got.dtype, got.axis_names) == ("rgb", np.dtype("u1"), "cyx")
    whole = got[...]
    np.testing.assert_array_equal(got.levels[0].read(Region((1, 20, 30), (2, 70, 90))), whole[1:2, 20:70, 30:90])
    assert (whole[3] == 255).all()
    assert np.abs(whole[0].astype(int) + whole[2] - 255).max() <= 1
    assert np.abs(whole[0] - sharp)[9:-9, 9:-9].mean() < np.abs(planes.mean(axis=0) - sharp)[9:-9, 9:-9].mean() / 3


def test_where_nothing_is_sharp_planes_count_alike():
    pixels = np.stack([np.full((20, 30), value, np.uint16) for value in (10, 20, 60)])
    assert (seen("project,method=edf", pictured(pixels, "zyx")) == 30).all()


def test_parts_of_an_extended_depth_of_field_are_the_whole(monkeypatch):
    _, planes = focus_series("u2")
    image = pictured(planes, "zyx")
    whole = {method: seen(f"project,method={method}", image) for method in ("edf", "median")}
    monkeypatch.setattr(columns, "WORKING", 300)
    monkeypatch.setattr(columns, "CELL", 16)
    for method, expected in whole.items():
        np.testing.assert_array_equal(seen(f"project,method={method}", image), expected)
