"""IIIF Image API 3.0: pixels against numpy, and the official validator over HTTP, which must refuse broken twins."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

import diascope
from diascope.errors import BadRequest
from diascope.image.pyramid import with_pyramid
from diascope.layouts.iiif import layout
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE
from diascope.testing.synthetic import ramp
from diascope.tree.file import Entry, File, Tree
from tests.judges.iiif_validator import IDENTIFIER, TESTS, Verdict, missing, squares, validated
from tests.judges.required import required
from tests.layouts.pictures import picture, pixels

PLANE = pixels(300, 517)
TREE = layout.tree(with_pyramid(picture(PLANE)))


def sent(path: str, tree: Tree = TREE) -> NDArray[np.uint8]:
    """The picture at a path below the identifier, as Pillow decodes it."""
    file = tree.file(f"picture.iiif/{path}")
    assert file is not None
    opened = Pillow.open(io.BytesIO(file.read(0, None)))
    assert opened.get_format_mimetype() == file.media_type
    return np.asarray(opened)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("full/max/0/default.png", PLANE),
        ("20,30,200,100/max/0/default.png", PLANE[30:130, 20:220]),
        ("400,250,200,100/max/0/default.png", PLANE[250:, 400:]),
        ("square/max/0/default.png", PLANE[:, 108:408]),
        ("0,0,200,100/max/90/default.png", np.rot90(PLANE[:100, :200], -1)),
        ("0,0,200,100/max/180/default.png", PLANE[:100, :200][::-1, ::-1]),
        ("0,0,200,100/max/270/default.png", np.rot90(PLANE[:100, :200])),
        ("0,0,200,100/max/!0/default.png", PLANE[:100, :200][:, ::-1]),
        ("0,0,200,100/max/!90/default.png", np.rot90(PLANE[:100, :200][:, ::-1], -1)),
        ("0,0,200,100/max/0/color.png", PLANE[:100, :200]),
    ],
)
def test_pixels_are_the_pictures(path: str, expected: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(sent(path), expected)


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_lossy_formats_are_near(ending: str) -> None:
    plane = pixels(300, 517, blur=12)
    tree = layout.tree(picture(plane))
    assert np.abs(sent(f"full/max/0/default.{ending}", tree).astype(int) - plane).mean() < 3


def test_sizes_come_before_rotations() -> None:
    assert sent("0,0,200,100/50,30/90/default.png").shape == (50, 30, 3)


def test_qualities() -> None:
    grey = sent("full/max/0/gray.png")
    assert np.abs(grey - PLANE @ (0.299, 0.587, 0.114)).max() <= 1
    np.testing.assert_array_equal(sent("full/max/0/bitonal.png"), np.where(grey >= 128, 255, 0))


def test_a_grey_picture_has_every_quality() -> None:
    plane = pixels(40, 50, 1)
    tree = layout.tree(picture(plane))
    np.testing.assert_array_equal(sent("full/max/0/default.png", tree), plane)
    np.testing.assert_array_equal(sent("full/max/0/gray.png", tree), plane)
    np.testing.assert_array_equal(sent("full/max/0/color.png", tree), np.stack([plane] * 3, axis=-1))
    assert set(np.unique(sent("full/max/0/bitonal.png", tree))) == {0, 255}
    assert sent("full/max/0/default.jpg", tree).shape == sent("full/max/90/default.jpg", tree).shape[::-1]


def test_opacity_is_kept_where_the_format_has_it() -> None:
    plane = np.zeros((40, 40, 4), np.uint8)
    tree = layout.tree(picture(plane))
    np.testing.assert_array_equal(sent("full/max/0/default.png", tree), plane)
    for path in ("full/max/0/default.jpg", "full/max/0/gray.png"):
        assert sent(path, tree).min() == 255


@pytest.mark.parametrize(
    "path", ["bad/max/0/default.png", "full/big/0/default.png", "full/max/x/default.png", "full/max/0/default.bmp"]
)
def test_malformed_requests_are_bad_requests(path: str) -> None:
    with pytest.raises(BadRequest):
        TREE.file(f"picture.iiif/{path}")


@pytest.mark.parametrize("path", ["full", "full/max/0", "full/max/0/default.png/x", "info.json/", "info.xml"])
def test_nothing_else_is_a_file(path: str) -> None:
    assert TREE.file(f"picture.iiif/{path}") is None


def test_only_the_description_is_listed() -> None:
    assert list(TREE.entries("") or ()) == [Entry("picture.iiif", is_folder=True)]
    assert list(TREE.entries("picture.iiif") or ()) == [Entry("info.json", is_folder=False)]
    assert list(TREE.entries("picture.iiif/full/max") or ["none"]) == []
    assert TREE.entries("picture.iiif/info.json") is None


def description(tree: Tree = TREE) -> dict[str, Any]:
    file = tree.file("picture.iiif/info.json")
    assert file is not None
    assert file.located is not None
    located = file.located("http://host:1/data/a%20b/picture.iiif/info.json")
    assert located.media_type == 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    document: dict[str, Any] = json.loads(located.read(0, None))
    without_url = json.loads(file.read(0, None))
    assert without_url == {**document, "id": "picture.iiif"}
    return document


def test_the_description_has_what_clause_5_asks_for() -> None:
    document = description()
    assert document["id"] == "http://host:1/data/a%20b/picture.iiif"
    assert (document["width"], document["height"]) == (517, 300)
    assert document["type"] == "ImageService3"
    assert document["profile"] == "level2"
    assert document["sizes"] == [
        {"width": 130, "height": 75},
        {"width": 259, "height": 150},
        {"width": 517, "height": 300},
    ]
    assert document["tiles"] == [{"width": 256, "height": 256, "scaleFactors": [1, 2, 4]}]


def test_everything_described_is_served() -> None:
    document = description()
    for size in document["sizes"]:
        assert sent(f"full/{size['width']},{size['height']}/0/default.jpg").shape[:2] == (size["height"], size["width"])
    tile = document["tiles"][0]
    for factor in tile["scaleFactors"]:
        step = tile["width"] * factor
        for x in range(0, 517, step):
            for y in range(0, 300, step):
                width, height = min(step, 517 - x), min(step, 300 - y)
                size = f"{-(-width // factor)},{-(-height // factor)}"
                shape = sent(f"{x},{y},{width},{height}/{size}/0/default.jpg").shape
                assert f"{shape[1]},{shape[0]}" == size
    for quality in document["extraQualities"]:
        for ending in ("jpg", "png", *document["extraFormats"]):
            assert sent(f"0,0,9,9/max/0/{quality}.{ending}").shape[:2] == (9, 9)


def test_the_description_of_a_huge_picture_keeps_to_its_limits() -> None:
    huge = ramp("yx", (1_000_000, 700_000), np.uint8, levels=13, chunk_shape=(512, 512), name="picture")
    document = description(layout.tree(huge))
    assert (document["maxWidth"], document["maxHeight"], document["maxArea"]) == (MAX_SIDE, MAX_SIDE, MAX_AREA)
    assert document["tiles"] == [{"width": 512, "height": 512, "scaleFactors": [2**k for k in range(12)]}]
    assert all(size["width"] * size["height"] <= MAX_AREA for size in document["sizes"])
    assert len(document["sizes"]) == 4


def test_the_base_uri_redirects() -> None:
    base = TREE.file("picture.iiif/")
    assert base is not None
    assert base.moved == "info.json"
    assert TREE.file("picture.iiif") is None


@pytest.mark.parametrize("path", ["svs/CMU-1-Small-Region.svs", "ndpi/test3-DAPI-2-(387).ndpi"])
def test_slides_are_sent_as_they_are(shared_data: Path, path: str) -> None:
    slide = diascope.open(shared_data / path)
    file = layout.tree(slide).file(f"{slide.name}.iiif/600,700,300,200/max/0/default.png")
    assert file is not None
    wanted = np.moveaxis(slide[:, 700:900, 600:900], 0, -1)
    np.testing.assert_array_equal(np.asarray(Pillow.open(io.BytesIO(file.read(0, None)))), wanted)


@pytest.mark.judge
def test_the_validator_passes_a_file_of_a_repository(server: Callable[[Path], str], tmp_path: Path) -> None:
    required(missing())
    folder = tmp_path / "pictures"
    folder.mkdir()
    Pillow.fromarray(squares()).save(folder / f"{IDENTIFIER}.png")
    prefix = f"data/pictures/{IDENTIFIER}.png/original"
    assert validated(server(folder), prefix) == Verdict(TESTS, set())


@dataclass(frozen=True)
class Broken:
    """A service with a fault."""

    tree: Tree
    fault: str

    def file(self, path: str) -> File | None:
        if self.fault == "rotation":
            path = path.replace("/90/", "/270/")
        if self.fault == "region" and path.count("/") > 1:
            name, region, rest = path.split("/", 2)
            sides = region.split(",")
            shifted = ",".join([str(int(sides[0]) // 2), *sides[1:]]) if sides[0].isdecimal() else region
            path = f"{name}/{shifted}/{rest}"
        file = self.tree.file(path)
        if self.fault == "info" and file is not None and file.located is not None:
            return replace(file, located=self._wrong(file.located))
        return None if self.fault == "redirect" and path.endswith("/") else file

    def entries(self, path: str) -> Iterator[Entry] | None:
        return self.tree.entries(path)

    @staticmethod
    def _wrong(located: Callable[[str], File]) -> Callable[[str], File]:
        return lambda url: located(f"{url}/elsewhere")


@pytest.mark.judge
@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("none", set()),
        ("rotation", {"rot_full_basic"}),
        ("redirect", {"baseurl_redirect"}),
        ("info", {"info_json"}),
        ("region", {"region_pixels", "size_region"}),
    ],
)
def test_the_validator_finds_faults(tree_server: Callable[[Tree], str], fault: str, found: set[str]) -> None:
    required(missing())
    tree = layout.tree(picture(squares(), name=IDENTIFIER))
    verdict = validated(tree_server(Broken(tree, fault)), "data")
    assert verdict.tests == TESTS
    # Where the validator looks is chance, so that one of several may miss a fault.
    assert bool(verdict.failed & found) == bool(found)
    assert bool(verdict.failed) == bool(found)


@pytest.mark.judge
def test_the_validator_wants_other_sites_let_in(
    tree_server: Callable[[Tree], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from diascope.access import head

    required(missing())
    monkeypatch.setattr(head, "CORS", head.CORS[1:])
    monkeypatch.setattr(head, "_CORS", b"")
    url = tree_server(layout.tree(picture(squares(), name=IDENTIFIER)))
    assert validated(url, "data").failed == {"cors"}
