"""What addresses open: files, folders that are images, URLs, views, and files of several images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import diascope
from diascope.errors import BadRequest, NotFound, Unreadable
from diascope.napari.reader import reader
from diascope.napari.reading import opened

Served = Callable[[Path], str]


def names(address: str) -> list[tuple[str, bool]]:
    return [(arguments["name"], arguments["visible"]) for _, arguments, _ in opened(address).layers]


@pytest.fixture
def base(folder: Path, server: Served) -> str:
    return f"{server(folder)}/data/{folder.name}"


def test_a_file_and_its_url_are_the_same_layers(folder: Path, base: str) -> None:
    local = opened(str(folder / "microscopy" / "cells.ome.tif")).layers
    remote = opened(f"{base}/microscopy/cells.ome.tif").layers
    assert [arguments["name"] for _, arguments, _ in local] == ["DAPI · cells", "Actin · cells", "Transcripts · cells"]
    for (data, arguments, kind), (data_2, arguments_2, kind_2) in zip(local, remote, strict=True):
        told = {key: value for key, value in arguments.items() if key != "metadata"}
        assert told == {key: value for key, value in arguments_2.items() if key != "metadata"}
        assert kind == kind_2
        pairs = zip(data, data_2, strict=True)
        assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)


@pytest.mark.parametrize("rest", ["project,axis=z", "project,axis=z/cells.ome.zarr", "render"])
def test_a_view_stands_behind_a_url_and_a_path(folder: Path, base: str, rest: str) -> None:
    within = f"microscopy/cells.ome.tif/{rest}"
    (data, arguments, _), *_ = opened(f"{base}/{within}").layers
    image = diascope.open(folder / "microscopy" / "cells.ome.tif" / rest.partition("/")[0])
    expected = np.moveaxis(image[...], 0, -1) if image.kind == "rgb" else image[0]
    assert np.array_equal(np.asarray(data[0]), expected)
    assert arguments["metadata"] == {"diascope": f"{base}/{within}"}
    if "/" not in rest:
        (local, _, _), *_ = opened(str(folder / within)).layers
        assert np.array_equal(np.asarray(local[0]), expected)


def test_the_address_of_a_page_is_that_of_its_image(base: str) -> None:
    page = base.replace("/data/", "/image/") + "/pictures/rainbow.png?from=browser#top"
    assert names(page) == [("rainbow", True)]


def test_of_several_images_the_first_is_visible(folder: Path, base: str) -> None:
    for address in (str(folder / "two.ome.tif"), f"{base}/two.ome.tif"):
        assert [visible for _, visible in names(address)] == [True, False]
        shapes = [data.shape for data, _, _ in opened(address).layers]
        assert shapes == [(20, 30), (20, 31)]
        first, second = (arguments["metadata"]["diascope"] for _, arguments, _ in opened(address).layers)
        assert first != second
        assert opened(second).layers[0][0].shape == (20, 31)


def test_of_many_images_the_first_alone_is_opened_and_the_others_are_mentioned(folder: Path, base: str) -> None:
    for address in (str(folder / "many.ome.tif"), f"{base}/many.ome.tif"):
        found = opened(address)
        assert [data.shape for data, _, _ in found.layers] == [(20, 30)]
        assert "more than 8 images" in found.left_out
    assert not opened(str(folder / "two.ome.tif")).left_out


def test_labels_of_an_image_are_hidden_at_first(shared_data: Path, server: Served) -> None:
    path = next(iter(sorted(shared_data.glob("**/*.zarr/labels/.zattrs")))).parent.parent
    url = f"{server(path.parent)}/data/{path.parent.name}/{path.name}"
    for address in (str(path), url):
        kinds = [(kind, arguments["visible"]) for _, arguments, kind in opened(address).layers]
        assert ("image", True) in kinds
        assert ("labels", False) in kinds


def test_what_is_wrong_is_an_error_of_ours(folder: Path, base: str) -> None:
    for address, error in (
        (str(folder / "broken.tif"), Unreadable),
        (f"{base}/broken.tif", Unreadable),
        (f"{base}/nothing.tif", NotFound),
        (f"{base}/microscopy/cells.ome.tif/project,axis=q", BadRequest),
        ("http://127.0.0.1:9/data/images/cells.tif", Unreadable),
    ):
        with pytest.raises(error):
            opened(address)


def test_the_reader_takes_what_a_source_knows_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    for name in ("microscopy/cells.ome.tif", "microscopy/cells-labels.ome.zarr", "volumes/head.nii.gz", "two.ome.tif"):
        assert reader(str(folder / name)) is not None, name
        assert reader([str(folder / name)]) is not None, name
    for name in ("notes.txt", "microscopy", "missing.tif"):
        assert reader(str(folder / name)) is None, name
    assert reader([str(folder / "two.ome.tif"), str(folder / "many.ome.tif")]) is None, "no stack is made of files"
    (tmp_path / "empty.tif").touch()
    assert reader(str(tmp_path / "empty.tif")) is None


def test_the_reader_judges_urls_by_their_spelling() -> None:
    host = "http://nowhere.invalid"
    assert all(reader(f"{host}{path}") for path in ("/data/images/a.tif", "/image/images/a.tif", "/some/a.ome.zarr"))
    assert not any(reader(f"{host}{path}") for path in ("", "/", "/data/", "/picture.png", "/about.html"))
