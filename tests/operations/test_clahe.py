"""Local contrast is that of a plain formula, and of OpenCV and scikit-image as nearly as they follow it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage.exposure import equalize_adapthist

from diascope.errors import BadRequest, TooLarge, Unsupported
from diascope.image.level import Level, read_whole
from diascope.image.region import Region
from diascope.operations.cells import cells
from diascope.operations.view import view
from diascope.testing.operations import check_tiles
from tests.operations.pictures import noise, pictured, seen


def waves(height, width, highest=255.0):
    """Bright and dark parts, and noise, none of them alike."""
    y, x = np.mgrid[:height, :width]
    values = 0.4 + 0.2 * np.sin(x / 40) + 0.15 * np.cos(y / 30) + x / width * 0.1
    return ((values + np.random.default_rng(0).normal(0, 0.02, values.shape)) * highest).clip(0, highest)


def reference(pixels, starts, clip, limits, bins):
    """Each pixel on its own: curves of integers between limits, mixed."""
    low, high = limits
    span = high - low + 1
    above = pixels.astype(int).clip(low, high) - low
    centres = [[(a + b - 1) / 2 for a, b in pairwise(s)] for s in starts]
    mapped = {}
    for r, (top, bottom) in enumerate(pairwise(starts[0])):
        for c, (left, right) in enumerate(pairwise(starts[1])):
            cell = above[top:bottom, left:right].ravel()
            counts = np.bincount(cell * bins // span, minlength=bins).astype(float)
            most = clip * cell.size / bins
            counts = np.minimum(counts, most) + np.maximum(counts - most, 0).sum() / bins
            shares = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
            mapped[r, c] = np.interp((above + 1) * bins / span, np.arange(bins + 1), shares)
    out = np.zeros(pixels.shape)
    for (r, c), shares in mapped.items():
        weights = [_hats(size, middles, k) for size, middles, k in zip(pixels.shape, centres, (r, c), strict=True)]
        out += np.outer(*weights) * shares
    return low + out * (high - low)


def _hats(size, centres, k):
    return np.interp(np.arange(size), centres, np.eye(len(centres))[k])


@pytest.mark.parametrize(
    ("dtype", "high", "bins"), [("u1", 255, 256), ("u2", 4095, 256), ("i2", 99, 100), ("u4", 4095, 256)]
)
def test_a_plain_formula_gives_the_same(dtype, high, bins):
    pixels = waves(83, 121, high).astype(dtype)
    image = pictured(pixels, "yx", scale=(0.5, 0.25))
    limits = "" if dtype == "u1" else f"low=0,high={high},"
    got = seen(f"clahe,{limits}tile=10,clip=2", image)
    # 20 rows and 40 columns a cell.
    expected = reference(pixels, ([0, 20, 40, 60, 83], [0, 40, 80, 121]), 2, (0, high), bins)
    assert got.dtype == pixels.dtype
    np.testing.assert_allclose(got.astype("f8"), expected, atol=0.501)
    assert np.abs(got.astype("f8") - pixels).mean() > high / 100


def test_floats_are_equalized_between_limits():
    pixels = waves(64, 96, 1.0).astype("f4")
    got = seen("clahe,low=0,high=1,tile=32", pictured(pixels, "yx"))
    whole = seen("clahe,low=0,high=65535,tile=32", pictured((pixels * 65_535).astype("u2"), "yx"))
    np.testing.assert_allclose(got * 65_535, whole, atol=400)
    pixels[5, 6] = np.nan
    holed = seen("clahe,low=0,high=1,tile=32", pictured(pixels, "yx"))
    assert np.isnan(holed[5, 6])
    assert np.isnan(holed).sum() == 1
    np.testing.assert_allclose(holed[40:, 60:], got[40:, 60:])


@pytest.mark.judge
def test_opencv_and_scikit_image_are_near():
    pixels = waves(512, 512).astype("u1")
    got = seen("clahe,tile=64,clip=3", pictured(pixels, "yx")).astype(int)
    # Half a pixel apart, and what is clipped is spread in whole numbers there.
    opencv = np.abs(got - cv2.createCLAHE(3.0, (8, 8)).apply(pixels))
    assert opencv.mean() < 1.5
    assert opencv.max() <= 6
    scikit = np.abs(got - 255 * equalize_adapthist(pixels, kernel_size=64, clip_limit=3 / 256, nbins=256))
    assert scikit.mean() < 3
    assert scikit.max() < 20


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("side", [4.1, 4.3, 7.77])
def test_tiles_of_any_place_and_width_are_the_same(seed, side):
    image = pictured(noise((2, 211, 157)), "zyx", scale=(1, 0.25, 0.2), levels=3)
    for level in view(f"clahe,tile={side},low=0,high=60000").applied(image).levels:
        check_tiles(level, "clahe", np.random.default_rng(seed))


def test_cells_cover_an_axis_once_whatever_their_width():
    for size in (1, 15, 40, 100, 1000):
        for width in (3.0, 16.0, 16.4, 16.5, 17.3, 99.99, 512.0):
            grid = cells(size, width)
            starts = grid.around(0, size)
            assert (starts[0], starts[-1], len(starts)) == (0, size, grid.count + 1)
            assert (np.diff(starts) > 0).all()
            for at in range(size):
                near = grid.around(at, at + 1)
                assert set(near) <= set(starts)
                middles = (near[:-1] + near[1:] - 1) / 2
                assert middles[0] <= at or near[0] == 0
                assert middles[-1] >= at or near[-1] == size


def test_a_tile_reads_the_cells_about_it():
    read: list[Region] = []

    def spied(level: Level) -> Level:
        def read_pixels(region: Region):
            read.append(region)
            return level.read_pixels(region)

        return replace(level, read_pixels=read_pixels)

    image = pictured(noise((4000, 5000)), "yx")
    image = replace(image, levels=tuple(map(spied, image.levels)))
    view("clahe,tile=64,low=0,high=60000").applied(image).levels[0].read(Region((1000, 2000), (1064, 2064)))
    (region,) = read
    assert max(region.shape) <= 64 * 3
    with pytest.raises(TooLarge, match="tile=513 is 513 pixels along y; the limit is 512"):
        view("clahe,tile=513,low=0,high=9").applied(image)


def test_limits_are_found_once_and_written_down():
    image = pictured(waves(64, 96, 9000).astype("u2"), "yx")
    told = str(view("clahe,tile=32").settled(image))
    low, high = np.quantile(image[...], [0.001, 0.999])
    assert told == f"clahe,low={int(low)},high={int(np.ceil(high))},tile=32"
    np.testing.assert_array_equal(seen(told, image), seen("clahe,tile=32", image))
    assert str(view("clahe,tile=32").settled(pictured(noise((64, 64), "u1", 255), "yx"))) == "clahe,tile=32"


def test_a_coarse_level_looks_like_the_fine_one():
    image = pictured(waves(1024, 1024, 4000).astype("u2"), "yx", levels=4)
    made = [seen("clahe,tile=128,low=0,high=4000", image, level).astype("f8") for level in range(3)]
    for level in (1, 2):
        by = 2**level
        reduced = made[0].reshape(1024 // by, by, 1024 // by, by).mean((1, 3))
        assert np.abs(made[level] - reduced).mean() < 4000 * 0.06


def test_hues_stay():
    grey = waves(64, 96).astype("u1")
    image = pictured(np.stack([grey, grey, grey, 255 - grey]), "cyx", kind="rgb")
    made = seen("clahe,tile=32", image)
    np.testing.assert_array_equal(made[:3], np.stack([seen("clahe,tile=32", pictured(grey, "yx"))] * 3))
    np.testing.assert_array_equal(made[3], 255 - grey)
    colours = np.stack([grey, grey // 2 + 30, grey // 4])
    made = seen("clahe,tile=32", pictured(colours, "cyx", kind="rgb")).astype(int)
    free = (made.min(0) > 0) & (made.max(0) < 255)
    assert free.mean() > 0.5
    np.testing.assert_array_equal((made[0] - made[1])[free], (colours[0].astype(int) - colours[1])[free])


def test_what_has_no_histogram_is_refused():
    for refused in (
        pictured(noise((40, 50)), "yx", kind="labels"),
        pictured(noise((40, 50), "?"), "yx"),
        pictured(noise((40, 50), "c8"), "yx"),
        pictured(noise((40, 50), "u8"), "yx"),
    ):
        with pytest.raises(Unsupported):
            seen("clahe,tile=20", refused)
    with pytest.raises(BadRequest, match="low and high go together"):
        view("clahe,tile=20,low=3")


def test_nothing_is_found_in_an_empty_region():
    level = view("clahe,tile=20").applied(pictured(noise((40, 50), "u1", 255), "yx")).levels[0]
    assert level.read(Region((3, 3), (3, 9))).shape == (0, 6)
    assert read_whole(level).any()


def test_numbers_whose_products_are_infinite_are_refused():
    image = pictured(np.linspace(0, 1.5e308, 64 * 64).reshape(64, 64), "yx")
    with pytest.raises(BadRequest, match="give limits"):
        view("clahe,tile=32").applied(image)
    for low, high in (("-1e308", "1e307"), ("0", "1e301")):
        with pytest.raises(BadRequest, match="at most 1e"):
            view(f"clahe,tile=32,low={low},high={high}")
    whole = pictured(noise((64, 64)), "yx")
    assert seen("clahe,tile=32,low=-1e300,high=1e300", whole).dtype == whole.dtype
