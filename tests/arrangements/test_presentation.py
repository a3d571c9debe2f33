"""IIIF manifests of folders and images over HTTP, read by @allmaps/iiif-parser; broken twins must be refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from diascope.arrangements import presentation
from tests.judges import iiif_manifest
from tests.judges.pixels import Rejected
from tests.judges.required import required

PLANES = np.stack([np.full((40, 60), 40 * k, np.uint8) for k in range(1, 6)])


@pytest.fixture(scope="module")
def repository(server: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A repository of a picture, a z-stack, a film of stacks, a file of two images and one that cannot be read."""
    folder = tmp_path_factory.mktemp("top") / "all sorts"
    (folder / "empty").mkdir(parents=True)
    (folder / "only bad").mkdir()
    Pillow.fromarray(np.arange(300 * 200, dtype=np.uint32).astype(np.uint8).reshape(200, 300)).save(
        folder / "a b%20é.png"
    )
    tifffile.imwrite(folder / "stack.tif", PLANES, imagej=True, metadata={"axes": "ZYX"})
    film = np.zeros((2, 3, 30, 20), np.uint16)
    tifffile.imwrite(folder / "film.tif", film, imagej=True, metadata={"axes": "TZYX"})
    for bad in ("bad.png", "only bad/worse.png"):
        (folder / bad).write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return f"{server(folder)}/data/all%20sorts"


def fetched(url: str) -> tuple[str, bytes]:
    answer = httpx.get(url, timeout=30, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.headers["content-type"], answer.content


def manifest(url: str) -> dict[str, Any]:
    media_type, body = fetched(url)
    assert media_type == 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
    document: dict[str, Any] = json.loads(body)
    assert document["id"] == url
    return document


def labels(document: dict[str, Any]) -> list[str]:
    return [item["label"]["none"][0] for item in document["items"]]


def pictures(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [item["items"][0]["items"][0]["body"] for item in document["items"]]


def pixels(picture: dict[str, Any]) -> np.ndarray:
    """What the canvas is painted with, without loss; it must have the size that the manifest says."""
    media_type, body = fetched(picture["id"].replace("default.jpg", "default.png"))
    assert media_type == "image/png"
    opened = Pillow.open(io.BytesIO(body))
    assert opened.size == (picture["width"], picture["height"])
    return np.asarray(opened)


def test_a_folder_shows_each_of_its_images(repository: str) -> None:
    document = manifest(f"{repository}/iiif-manifest.json")
    assert document["label"] == {"none": ["all sorts"]}
    assert labels(document) == ["a b%20é.png", "film.tif", "stack.tif"]
    sizes = [(item["width"], item["height"]) for item in document["items"]]
    assert sizes == [(300, 200), (20, 30), (60, 40)]
    (unreadable,) = document["metadata"]
    assert unreadable["label"] == {"en": ["Unreadable"]}
    assert unreadable["value"]["none"][0].startswith("bad.png: ")


def test_every_picture_and_thumbnail_of_a_folder_is_served(repository: str) -> None:
    document = manifest(f"{repository}/iiif-manifest.json")
    for item, picture in zip(document["items"], pictures(document), strict=True):
        assert pixels(picture).shape[:2] == (item["height"], item["width"])
        assert max(pixels(item["thumbnail"][0]).shape[:2]) <= 200
        service = picture["service"][0]["id"]
        assert json.loads(fetched(service)[1])["id"] == service


def test_a_picture_is_shown_as_it_is(repository: str) -> None:
    document = manifest(f"{repository}/a%20b%2520%C3%A9.png/iiif-manifest.json")
    (picture,) = pictures(document)
    assert picture["id"] == f"{repository}/a%20b%2520%C3%A9.png/original/a%20b%2520%C3%A9.iiif/full/max/0/default.jpg"
    assert pixels(picture)[3, 7] == (3 * 300 + 7) % 256


def test_a_stack_shows_each_of_its_planes(repository: str) -> None:
    document = manifest(f"{repository}/stack.tif/iiif-manifest.json")
    assert labels(document) == [f"z {k}" for k in range(5)]
    shown = [pixels(picture) for picture in pictures(document)]
    for plane, got in zip(PLANES, shown, strict=True):
        assert np.unique(got).tolist() == [plane[0, 0]]


def test_a_film_shows_each_plane_of_each_time(repository: str) -> None:
    document = manifest(f"{repository}/film.tif/iiif-manifest.json")
    assert labels(document) == [f"z {z}, t {t}" for t in range(2) for z in range(3)]
    assert "/render,z=2,t=1/" in pictures(document)[-1]["id"]


@pytest.mark.parametrize(
    "path",
    ["empty/iiif-manifest.json", "only%20bad/iiif-manifest.json", "nowhere/iiif-manifest.json",
     "stack.tif/original/iiif-manifest.json/x", "stack.tif/stored/iiif-manifest.json"],
)  # fmt: skip
def test_what_shows_nothing_has_no_manifest(repository: str, path: str) -> None:
    assert httpx.get(f"{repository}/{path}").status_code == 404


def test_trouble_is_no_missing_manifest(repository: str) -> None:
    assert httpx.get(f"{repository}/bad.png/iiif-manifest.json").status_code == 502


def test_manifests_are_not_listed(repository: str) -> None:
    for path in ("", "stack.tif/"):
        assert presentation.MANIFEST not in fetched(f"{repository}/{path}")[1].decode()


def test_a_manifest_says_what_it_leaves_out(repository: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presentation, "MOST_PLANES", 3)
    document = manifest(f"{repository}/stack.tif/iiif-manifest.json")
    assert labels(document) == ["z 0", "z 1", "z 2"]
    assert document["metadata"][0]["value"] == {"none": ["Only the first 3 are shown."]}


def test_a_stored_file_of_that_name_comes_first(server: Callable[[Path], str], tmp_path: Path) -> None:
    (tmp_path / presentation.MANIFEST).write_text("mine")
    Pillow.new("L", (3, 2)).save(tmp_path / "picture.png")
    assert fetched(f"{server(tmp_path)}/data/{tmp_path.name}/{presentation.MANIFEST}")[1] == b"mine"


@pytest.mark.judge
@pytest.mark.parametrize("path", ["", "/stack.tif", "/film.tif"])
def test_the_parser_understands_a_manifest(repository: str, path: str) -> None:
    required(iiif_manifest.missing())
    document = manifest(f"{repository}{path}/iiif-manifest.json")
    understood = iiif_manifest.parsed(document)
    assert understood["uri"] == document["id"]
    assert [each["service"] for each in understood["canvases"]] == [
        picture["service"][0]["id"] for picture in pictures(document)
    ]
    assert [(each["width"], each["height"]) for each in understood["canvases"]] == [
        (item["width"], item["height"]) for item in document["items"]
    ]
    assert len(understood["metadata"]) == len(document["metadata"])


@pytest.mark.judge
@pytest.mark.parametrize("fault", ["label", "height", "type"])
def test_the_parser_finds_faults(repository: str, fault: str) -> None:
    required(iiif_manifest.missing())
    broken = deepcopy(manifest(f"{repository}/stack.tif/iiif-manifest.json"))
    if fault == "label":
        broken["label"] = "stack"
    if fault == "height":
        del broken["items"][1]["height"]
    if fault == "type":
        broken["items"][1]["type"] = "Kanvas"
    with pytest.raises(Rejected, match="ZodError"):
        iiif_manifest.parsed(broken)
