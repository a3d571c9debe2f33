"""IIIF Image API 2.1: wherein it differs from 3.0, and the official validator, which must refuse broken twins."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from diascope.errors import BadRequest
from diascope.image.pyramid import with_pyramid
from diascope.layouts.iiif import VERSION as VERSION_3
from diascope.layouts.iiif_2 import layout
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE
from diascope.layouts.iiif_service import service
from diascope.testing.synthetic import ramp
from diascope.tree.file import Entry, Tree
from tests.judges.iiif_validator import IDENTIFIER, TESTS_2, missing, squares, validated
from tests.judges.required import required
from tests.layouts.pictures import picture, pixels

PLANE = pixels(300, 517)
TREE = layout.tree(with_pyramid(picture(PLANE)))


def sent(path: str, tree: Tree = TREE) -> NDArray[np.uint8]:
    file = tree.file(f"picture.iiif2/{path}")
    assert file is not None
    return np.asarray(Pillow.open(io.BytesIO(file.read(0, None))))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("full/full/0/default.png", PLANE),
        ("full/max/0/default.png", PLANE),
        ("20,30,200,100/full/0/default.png", PLANE[30:130, 20:220]),
        ("square/full/0/default.png", PLANE[:, 108:408]),
        ("0,0,200,100/full/!90/default.png", np.rot90(PLANE[:100, :200][:, ::-1], -1)),
    ],
)
def test_pixels_are_the_pictures(path: str, expected: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(sent(path), expected)


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ("400,", (200, 400)),
        (",200", (200, 400)),
        ("pct:200", (200, 400)),
        ("300,300", (300, 300)),
        ("!400,900", (200, 400)),
        ("!50,900", (25, 50)),
        ("50,", (25, 50)),
    ],
)
def test_sizes_may_grow_without_a_sign(size: str, shape: tuple[int, int]) -> None:
    assert sent(f"0,0,200,100/{size}/0/default.png").shape[:2] == shape


@pytest.mark.parametrize("size", ["^max", "^400,", "^full", "big", "0,", "pct:0", f"{MAX_SIDE + 1},1"])
def test_what_is_no_size_here_is_a_bad_request(size: str) -> None:
    with pytest.raises(BadRequest, match="size") as caught:
        TREE.file(f"picture.iiif2/full/{size}/0/default.png")
    assert "^" not in str(caught.value).replace(size, "")


def test_the_full_size_of_what_is_too_large_is_a_bad_request() -> None:
    tree = layout.tree(ramp("yx", (MAX_SIDE + 1, 20), np.uint8, name="picture"))
    with pytest.raises(BadRequest, match="limits"):
        tree.file("picture.iiif2/full/full/0/default.png")
    assert tree.file("picture.iiif2/full/max/0/default.png") is not None


def described(tree: Tree = TREE) -> dict[str, Any]:
    file = tree.file("picture.iiif2/info.json")
    assert file is not None
    assert file.located is not None
    return dict(json.loads(file.located("http://host:1/data/picture.iiif2/info.json").read(0, None)))


def test_the_description_has_what_clause_5_asks_for() -> None:
    document = described()
    assert document["@context"] == "http://iiif.io/api/image/2/context.json"
    assert document["@id"] == "http://host:1/data/picture.iiif2"
    assert document["protocol"] == "http://iiif.io/api/image"
    assert (document["width"], document["height"]) == (517, 300)
    assert document["tiles"] == [{"width": 256, "height": 256, "scaleFactors": [1, 2, 4]}]
    level, more = document["profile"]
    assert level == "http://iiif.io/api/image/2/level2.json"
    assert (more["maxWidth"], more["maxHeight"], more["maxArea"]) == (MAX_SIDE, MAX_SIDE, MAX_AREA)
    assert not {"id", "type", "extraFormats", "maxWidth"} & set(document)


def test_everything_described_is_served() -> None:
    document = described()
    for size in document["sizes"]:
        assert sent(f"full/{size['width']},/0/default.jpg").shape[:2] == (size["height"], size["width"])
    for quality in document["profile"][1]["qualities"]:
        for ending in ("jpg", "png", *document["profile"][1]["formats"]):
            assert sent(f"0,0,9,9/full/0/{quality}.{ending}").shape[:2] == (9, 9)


def test_only_the_description_is_listed() -> None:
    assert list(TREE.entries("picture.iiif2") or ()) == [Entry("info.json", is_folder=False)]


@pytest.mark.judge
def test_the_validator_passes_a_file_of_a_repository(server: Callable[[Path], str], tmp_path: Path) -> None:
    required(missing())
    folder = tmp_path / "pictures"
    folder.mkdir()
    Pillow.fromarray(squares()).save(folder / f"{IDENTIFIER}.png")
    path = f"data/pictures/{IDENTIFIER}.png/original"
    verdict = validated(server(folder), path, "2.0")
    assert verdict.failed == set()
    assert verdict.tests == TESTS_2
    info = httpx.get(f"{server(folder)}/{path}/{IDENTIFIER}.iiif2/info.json")
    assert info.headers["content-type"] == "application/ld+json"


@pytest.mark.judge
def test_the_validator_finds_that_3_0_is_no_2_1(tree_server: Callable[[Tree], str]) -> None:
    required(missing())
    twin = replace(VERSION_3, suffix=".iiif2")
    url = tree_server(service(picture(squares(), name=IDENTIFIER), twin))
    assert {"info_json", "format_jpg"} <= validated(url, "data", "2.0").failed
