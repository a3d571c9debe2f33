"""Zoomify, put together again by Pillow over HTTP, and numbered as OpenLayers and OpenSeadragon do."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import numpy as np
import pytest

from diascope.image.image import Image
from diascope.layouts.zoomify import layout
from diascope.testing.synthetic import ramp
from diascope.testing.trees import files
from diascope.tree.file import Tree
from tests.judges import zoomify
from tests.judges.deep_zoom import expected
from tests.judges.pixels import near

SMOOTH = ramp("yx", (600, 700), np.uint8, name="plane")
IMAGES = [
    SMOOTH,
    ramp("yx", (1, 1), np.uint8, name="one pixel"),
    ramp("yx", (256, 256), np.uint8, name="one tile"),
    ramp("yx", (257, 3), np.uint8, name="tall"),
    ramp("cyx", (3, 300, 777), np.uint8, kind="rgb", name="colours"),
    ramp("cyx", (4, 260, 33), np.uint8, kind="rgb", name="with opacity"),
]
WIDE = ramp("yx", (2600, 4700), np.uint8, name="wide")

each_image = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)


def read(tree: Tree, path: str) -> bytes:
    file = tree.file(path)
    assert file is not None, path
    return file.read(0, None)


def told(image: Image) -> tuple[int, int, int, int]:
    return zoomify.properties(read(layout.tree(image), f"{image.name}.zoomify/ImageProperties.xml"))


@pytest.mark.judge
@each_image
def test_every_tier_is_right_over_http(image: Image, tree_server: Callable[[Tree], str]) -> None:
    url = f"{tree_server(layout.tree(image))}/data/{image.name}.zoomify"
    with httpx.Client() as client:
        tiers = zoomify.assembled(lambda path: client.get(path).raise_for_status().content, url)
    wanted = expected(image)[-len(tiers) :]
    for k, (seen, plane) in enumerate(zip(tiers, wanted, strict=True)):
        opacity = plane[..., 3:] / 255
        near(seen, plane[..., :3] * opacity + 255 * (1 - opacity), f"tier {k}", 20)
    assert max(tiers[0].shape[:2]) <= 256


@pytest.mark.parametrize("image", [*IMAGES, WIDE], ids=lambda image: image.name)
def test_what_is_listed_is_what_is_counted(image: Image) -> None:
    tree = layout.tree(image)
    tiles = [path for path in files(tree) if path.endswith(".jpg")]
    width, height, side, count = told(image)
    assert (width, height, side) == (image.size("x"), image.size("y"), 256)
    assert len(tiles) == len(set(tiles)) == count
    wanted, number = set(), 0
    for tier, (columns, rows) in enumerate(zoomify.grids(width, height, side)):
        for y in range(rows):
            for x in range(columns):
                wanted.add(f"{image.name}.zoomify/TileGroup{number // 256}/{tier}-{x}-{y}.jpg")
                number += 1
    assert set(tiles) == wanted


def test_a_tile_is_where_openseadragon_looks_too() -> None:
    """It rounds sides down, so that a tier of 769 columns is three tiles wide to it, and all behind move up."""
    image = ramp("yx", (4000, 769 * 4 - 1), np.uint8, name="odd")
    tree = layout.tree(image)
    listed, number, moved = set(files(tree)), 0, 0
    for tier, k in enumerate(range(4, -1, -1)):
        rows, columns = (-(-(size >> k) // 256) for size in image.shape)
        for y in range(rows):
            for x in range(columns):
                path = f"odd.zoomify/TileGroup{number // 256}/{tier}-{x}-{y}.jpg"
                assert tree.file(path) is not None, path
                moved += path not in listed
                number += 1
    assert moved == 4


@pytest.mark.parametrize(
    "name",
    [
        "TileGroup0/0-0-1.jpg",
        "TileGroup1/0-0-0.jpg",
        "TileGroup0/00-0-0.jpg",
        "TileGroup0/9-0-0.jpg",
        "TileGroup0/0-0-0.png",
        "TileGroup0/0-0-0",
        "TileGroup00/0-0-0.jpg",
        "TileGroup0/0-0-" + "9" * 5000 + ".jpg",
    ],
)
def test_there_is_nothing_else(name: str) -> None:
    assert layout.tree(SMOOTH).file(f"plane.zoomify/{name}") is None


def test_what_is_no_picture_is_refused_with_the_way_out() -> None:
    assert "render" in (layout.refuses(ramp("zyx", (3, 4, 5))) or "")
