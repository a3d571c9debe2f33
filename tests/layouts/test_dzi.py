"""Deep Zoom, its tiles put together by Pillow."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from diascope.image.image import Image
from diascope.layouts.dzi import layout
from diascope.testing.synthetic import ramp
from diascope.tree.file import Tree
from tests.judges import deep_zoom
from tests.judges.deep_zoom import expected
from tests.layouts.pictures import picture, pixels


def read(tree: Tree, path: str) -> bytes:
    file = tree.file(path)
    assert file is not None, path
    return file.read(0, None)


def descriptor(tree: Tree, path: str) -> tuple[int, int, int, int, str]:
    return deep_zoom.descriptor(read(tree, path))


def assembled(tree: Tree, stem: str, flavour: str = "") -> list[np.ndarray]:
    return deep_zoom.assembled(partial(read, tree), f"{stem}{flavour}")


SIZES = [(1, 1), (1, 300), (255, 254), (509, 777), (600, 256)]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("chunk", [None, 256, 512])
@pytest.mark.parametrize("size", SIZES)
def test_png_tiles_are_the_pyramid(size: tuple[int, int], chunk: int | None, channels: int) -> None:
    image = picture(pixels(*size, channels), chunk=chunk)
    levels, wanted = assembled(layout.tree(image), "picture", ".png"), expected(image)
    assert len(levels) == len(wanted)
    for level, pyramid in zip(levels, wanted, strict=True):
        np.testing.assert_array_equal(level, pyramid)


@pytest.mark.parametrize("chunk", [None, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_tiles_are_near_the_pyramid(channels: int, chunk: int | None) -> None:
    image = picture(pixels(300, 517, channels, blur=12), chunk=chunk)
    levels, wanted = assembled(layout.tree(image), "picture"), expected(image)
    large = [(a, b) for a, b in zip(levels, wanted, strict=True) if max(a.shape) > 128]
    assert len(large) == 3
    for level, pyramid in large:
        off = np.abs(level.astype(int) - pyramid)
        assert off.mean() < 3
        # Shifted by one pixel it would be farther away.
        assert off[1:].mean() < np.abs(level[1:].astype(int) - pyramid[:-1]).mean() / 1.5


def test_opacity_is_before_white_in_jpeg() -> None:
    plane = np.zeros((40, 40, 4), np.uint8)
    plane[:, :20] = (200, 100, 50, 255)
    level = assembled(layout.tree(picture(plane)), "picture")[-1]
    assert np.abs(level[:, :16, :3].astype(int) - (200, 100, 50)).max() < 6
    assert level[:, 24:, :3].min() > 250


@pytest.mark.parametrize(
    ("chunk", "tiling"),
    [(None, (254, 1)), (128, (254, 1)), (240, (240, 0)), (256, (256, 0)), (512, (512, 0)), (1024, (254, 1))],
)
def test_tiles_follow_a_square_grid_of_the_source(chunk: int | None, tiling: tuple[int, int]) -> None:
    tree = layout.tree(picture(pixels(700, 900), chunk=chunk))
    assert descriptor(tree, "picture.dzi") == (900, 700, *tiling, "jpeg")
    assert descriptor(tree, "picture.png.dzi") == (900, 700, *tiling, "png")


@pytest.mark.parametrize(
    "path",
    [
        "picture_files/10/00_0.jpeg",
        "picture_files/10/0_0.jpg",
        "picture_files/10/0_0.png",
        "picture_files/10/4_0.jpeg",
        "picture_files/10/0_3.jpeg",
        "picture_files/10/-1_0.jpeg",
        "picture_files/010/0_0.jpeg",
        "picture_files/11/0_0.jpeg",
        "picture_files/10",
        "picture.dzi/0/0_0.jpeg",
        "other.dzi",
    ],
)
def test_no_other_name_is_a_tile(path: str) -> None:
    tree = layout.tree(picture(pixels(700, 900)))
    assert tree.file("picture_files/10/3_2.jpeg") is not None
    assert tree.file(path) is None


def test_every_tile_is_listed() -> None:
    tree = layout.tree(picture(pixels(300, 520)))
    assert [entry.name for entry in tree.entries("picture_files") or ()] == [str(depth) for depth in range(11)]
    assert [entry.name for entry in tree.entries("picture_files/10") or ()] == [
        f"{x}_{y}.jpeg" for x in range(3) for y in range(2)
    ]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (ramp("zyx", (3, 9, 9), np.uint8), "3 along the axis z"),
        (ramp("cyx", (2, 9, 9), np.uint8), "2 along the axis c"),
        (ramp("yx", (9, 9), np.uint16), "of uint16"),
        (ramp("yx", (9, 9), np.uint8, kind="labels"), "labels"),
        (ramp("tcyx", (2, 3, 9, 9), np.uint8, kind="rgb"), "2 along the axis t"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_way_out(image: Image, reason: str) -> None:
    refused = layout.refuses(image)
    assert refused is not None
    assert reason in refused
    assert "'render'" in refused


def test_planes_of_one_are_a_picture() -> None:
    image = ramp("tczyx", (1, 1, 1, 20, 30), np.uint8)
    assert layout.refuses(image) is None
    np.testing.assert_array_equal(assembled(layout.tree(image), "ramp", ".png")[-1][:, :, 0], image[0, 0, 0])
