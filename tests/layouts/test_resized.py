"""Boxes of pictures at any size, compared with the same computed from the whole picture in floats."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from diascope.errors import TooLarge
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, in_memory, read_whole
from diascope.image.pyramid import with_pyramid
from diascope.image.region import Region
from diascope.layouts import resized as module
from diascope.layouts.iiif_request import MAX_AREA
from diascope.layouts.resized import resized
from diascope.testing.synthetic import ramp as synthetic
from tests.layouts.pictures import counted, picture, pixels, ramp

HEIGHT, WIDTH = 613, 1001
BOXES = [
    (range(HEIGHT), range(WIDTH)),
    (range(256, 512), range(256, 768)),
    (range(101, 402), range(333, 1001)),
    (range(37, 613), range(1, 800)),
    (range(512, 613), range(768, 1001)),
]
SCALES = [(1, 1), (2, 2), (4, 4), (3.1, 3.1), (1.5, 1.5), (7, 2.3), (0.5, 0.5), (0.37, 0.41), (3, 0.7)]


def area_means(plane: NDArray[np.float64], rows: range, columns: range, height: int, width: int) -> Pixels:
    """Means over the exact areas, out of the integral of the whole picture."""
    integral = np.pad(plane.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    for axis, (box, size) in enumerate(((rows, height), (columns, width))):
        edges = box.start + len(box) * np.arange(size + 1) / size
        low = np.minimum(edges.astype(int), integral.shape[axis] - 2)
        part = (edges - low).reshape((-1, 1) if axis == 0 else (1, -1))
        integral = np.take(integral, low, axis) * (1 - part) + np.take(integral, low + 1, axis) * part
        integral = np.diff(integral, axis=axis)
    return np.asarray(integral * (height * width / (len(rows) * len(columns))))


def sizes(box: tuple[range, range], scale: tuple[float, float]) -> tuple[int, int]:
    height, width = (max(round(len(side) / by), 1) for side, by in zip(box, scale, strict=True))
    return height, width


@cache
def smooth(blur: float) -> NDArray[np.uint8]:
    return pixels(HEIGHT, WIDTH, 1, blur=blur)


def shift(got: NDArray[np.float64], wanted: NDArray[np.float64]) -> list[float]:
    """By how many pixels one lies behind the other along each axis, by least squares on the gradient."""
    off = (wanted - got)[2:-2, 2:-2]
    gradients = [np.gradient(wanted, axis=axis)[2:-2, 2:-2] for axis in (0, 1)]
    return [float((off * gradient).sum() / (gradient**2).sum()) for gradient in gradients]


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("box", BOXES, ids=str)
def test_nothing_is_shifted(box: tuple[range, range], scale: tuple[float, float]) -> None:
    size = sizes(box, scale)
    wanted = area_means(smooth(12).astype(float), *box, *size)
    got = resized(with_pyramid(picture(smooth(12))), *box, *size).astype(float)
    assert np.abs(shift(got, wanted)).max() < 0.03


@pytest.mark.parametrize("scale", [1, 3.1])
def test_a_shift_of_half_a_pixel_would_be_seen(scale: float) -> None:
    box = BOXES[2]
    size = sizes(box, (scale, scale))
    plane = smooth(12).astype(float)
    wanted = area_means(plane, *box, *size)
    behind = area_means((plane + np.roll(plane, 1, axis=0)) / 2, *box, *size)
    assert shift(behind, wanted) == pytest.approx([0.5 / scale, 0], abs=0.05)


@pytest.mark.parametrize("scale", [s for s in SCALES if min(s) >= 1], ids=str)
@pytest.mark.parametrize("box", BOXES, ids=str)
def test_reduced_pixels_are_means_of_their_areas(box: tuple[range, range], scale: tuple[float, float]) -> None:
    plane = smooth(6)
    height, width = sizes(box, scale)
    got = resized(with_pyramid(picture(plane)), *box, height, width).astype(float)
    wanted = area_means(plane.astype(float), *box, height, width)
    inside = np.abs(got - wanted)[1:-1, 1:-1]
    assert inside.mean() < 1.5
    # A picture shifted by a pixel of the result is much farther away.
    assert np.abs(got[1:] - wanted[:-1])[1:-1, 1:-1].mean() > 2.5 * inside.mean()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_tiles_of_a_level_are_its_pixels(factor: int, channels: int) -> None:
    image = with_pyramid(picture(pixels(HEIGHT, WIDTH, channels)))
    level = read_whole(image.levels[factor.bit_length() - 1])
    wanted = level if channels == 1 else level.transpose(1, 2, 0)
    tile = 128 * factor
    for top in range(0, HEIGHT, tile):
        for left in range(0, WIDTH, tile):
            rows, columns = range(top, min(top + tile, HEIGHT)), range(left, min(left + tile, WIDTH))
            size = (-(-len(rows) // factor), -(-len(columns) // factor))
            y, x = top // factor, left // factor
            np.testing.assert_array_equal(
                resized(image, rows, columns, *size), wanted[y : y + size[0], x : x + size[1]]
            )


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("corner", [(0, 1), (1, 0), (101, 333), (HEIGHT - 257, WIDTH - 257), (355, 0)], ids=str)
def test_pixels_between_those_of_a_level_are_linear_between_them(
    corner: tuple[int, int], factor: int, channels: int
) -> None:
    image = with_pyramid(picture(pixels(HEIGHT, WIDTH, channels)))
    plane = read_whole(image.levels[factor.bit_length() - 1])
    wide = np.pad((plane if channels == 1 else plane.transpose(1, 2, 0)).astype(float), 1, mode="edge")
    wide = wide if channels == 1 else wide[..., 1:-1]
    for axis, (start, count) in enumerate(zip(corner, (256, 256), strict=True)):
        at = start / factor + 1 + np.arange(count // factor)
        low, part = np.floor(at).astype(int), (at % 1).reshape((-1, 1) if axis == 0 else (1, -1))
        part = part if channels == 1 else part[..., None]
        wide = np.take(wide, low, axis) * (1 - part) + np.take(wide, low + 1, axis) * part
    rows, columns = (range(start, start + 256) for start in corner)
    got = resized(image, rows, columns, 256 // factor, 256 // factor)
    np.testing.assert_array_equal(got, np.floor(wide + 0.5).astype(np.uint8))


def test_boxes_side_by_side_fit_without_a_seam() -> None:
    image = with_pyramid(picture(pixels(HEIGHT, WIDTH, blur=4)))
    edges = [0, 200, 437, 1000]
    whole = resized(image, range(600), range(1000), 1500, 2500).astype(int)
    parts = [
        resized(image, range(600), range(a, b), 1500, (b - a) * 5 // 2) for a, b in pairwise(edges[:2] + edges[3:])
    ]
    assert np.abs(np.concatenate(parts, axis=1) - whole).max() <= 1


def test_blocks_make_the_picture_that_the_whole_would(monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(pixels(HEIGHT, WIDTH, blur=4))
    box, size = (range(7, 600), range(11, 990)), (311, 707)
    whole = resized(image, *box, *size).astype(int)
    monkeypatch.setattr(module, "BLOCK", 100)
    reads: list[int] = []
    blocks = resized(counted(image, reads), *box, *size).astype(int)
    assert len(reads) > 20
    assert max(reads) <= 3 * 104**2
    off = np.abs(blocks - whole)
    assert off.max() <= 8
    assert off.mean() < 0.5


@pytest.mark.parametrize("axis", [0, 1])
def test_levels_are_taken_where_their_pixels_lie(axis: int) -> None:
    """Of a source whose levels are every second pixel, and not means of two."""
    slope = ramp(120, 120, *((2, 0) if axis == 0 else (0, 2))).astype(np.uint8)
    image = picture(slope)
    coarse = replace(in_memory(slope[::2, ::2]), scale=(2.0, 2.0), translation=(0.0, 0.0))
    image = replace(image, levels=(*image.levels, coarse))
    got = resized(image, range(20, 100), range(20, 110), 40, 45)
    centres = np.arange((40, 45)[axis]) * 2 + 20.5
    np.testing.assert_array_equal(np.moveaxis(got, axis, 1), np.broadcast_to(2 * centres, got.shape[:: 2 * axis - 1]))


@pytest.mark.parametrize("rows", [250, 251])
def test_levels_whose_sizes_were_rounded_down_keep_their_place(rows: int) -> None:
    """A level of 250 rows of four is one of a picture of 1000 to 1003, however its scale was reckoned."""
    fine = np.round(ramp(1003, 1003, 0.2, 0.05)).astype(np.uint8)
    coarse = np.round(ramp(1003, 1003, 0.2, 0.05, level=2))[:rows, :rows].astype(np.uint8)
    image = picture(fine)
    level = replace(in_memory(coarse), scale=(1003 / rows, 1003 / rows), translation=(1.5, 1.5))
    image = replace(image, levels=(*image.levels, level))
    got = resized(image, range(800, 1000), range(400, 800), 50, 100)
    np.testing.assert_array_equal(got, coarse[200:250, 100:200])


def huge(levels: int, reads: list[int]) -> Image:
    """A million rows and columns, read from nowhere."""
    base = synthetic("yx", (1_000_000, 1_000_000), np.uint8, levels=levels, chunk_shape=(256, 256))

    def level(each: Level) -> Level:
        def read_pixels(region: Region) -> Pixels:
            reads.append(int(np.prod(region.shape)))
            return np.zeros(region.shape, np.uint8)

        return replace(each, read_pixels=read_pixels)

    return replace(base, levels=tuple(map(level, base.levels)))


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((1_000_000, 1_000_000), (1, 1)),
        ((1_000_000, 1_000_000), (500, 500)),
        ((1_000_000, 1_000_000), (4096, 4096)),
        ((1_000_000, 1_000_000), (1, 16_000)),
        ((1_000_000, 10), (16_000, 1)),
        ((3, 1_000_000), (3, 16_000)),
    ],
)
def test_a_huge_picture_costs_what_is_sent(box: tuple[int, int], size: tuple[int, int]) -> None:
    reads: list[int] = []
    assert resized(huge(20, reads), range(box[0]), range(box[1]), *size).shape == size
    assert max(reads) < 2 * module.BLOCK**2
    assert sum(reads) < 6 * max(MAX_AREA // 4, size[0] * size[1])


def test_what_no_level_is_coarse_enough_for_is_too_large() -> None:
    reads: list[int] = []
    with pytest.raises(TooLarge, match="coarse enough"):
        resized(huge(1, reads), range(1_000_000), range(1_000_000), 10, 10)
    assert not reads
