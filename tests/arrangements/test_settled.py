"""What a look at pixels decides is written into the address, at every door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

import diascope
from diascope.access.answer import Asked
from diascope.access.data import Data
from diascope.access.webdav import WebDav
from diascope.arrangements.by_name import ByName
from diascope.arrangements.representations import representations
from diascope.catalogue.catalogue import Catalogue, catalogue
from diascope.operations import autocontrast
from diascope.operations.looks import look
from diascope.settings import RepositorySettings, Settings

PIXELS = np.random.default_rng(0).integers(100, 3000, (60, 70)).astype(np.uint16)
WINDOW = f"window,low={PIXELS.min()},high={PIXELS.max()}"
OPEN = "autocontrast,low=0,high=100"
FILE = "scan.ome.zarr/0/c/0/0"


@pytest.fixture
def images(tmp_path: Path) -> Catalogue:
    tifffile.imwrite(tmp_path / "scan.tif", PIXELS)
    views = {"show": OPEN}
    repository = RepositorySettings(path=tmp_path, views=views)
    return catalogue(Settings(repositories={"lab": repository}, refresh_seconds=0))


@pytest.mark.parametrize("spelled", [OPEN, "autocontrast,high=100.0,low=0", "@show"])
def test_an_address_is_redirected_to_its_numbers_for_now(images: Catalogue, spelled: str) -> None:
    tree = ByName(images)
    answer = Data(tree, tree.canonical).answer(f"lab/scan.tif/{spelled}/{FILE}", "", Asked("GET", "", {}))
    assert answer.status == 308
    assert answer.headers["location"] == f"/data/lab/scan.tif/{WINDOW}/{FILE}"
    # A browser must not remember it: the file may change.
    assert answer.headers["cache-control"] == "no-cache"


def test_a_file_that_a_view_names_and_that_goes_wrong_makes_nothing_absent(images: Catalogue, tmp_path: Path) -> None:
    door = WebDav(ByName(images))
    path = f"/dav/lab/scan.tif/affine,file=m.txt/{FILE}"

    def status() -> int:
        return door.answer(path, "", Asked("GET", "http://x")).status

    for text in ("1 0 0\n0 1 0\n", "1 0 0\n0 1", "1 0 0\n0 1 1\n"):
        (tmp_path / "m.txt").write_text(text)
        assert status() == (200 if text.endswith("\n") else 422)
    (tmp_path / "m.txt").unlink()
    assert status() == 422
    path = f"/dav/lab/scan.tif/affine,fule=m.txt/{FILE}"
    assert status() == 404


def test_without_redirects_it_is_the_same_file_under_the_same_key(images: Catalogue) -> None:
    tree = ByName(images)
    files = [tree.file(f"lab/scan.tif/{spelled}/{FILE}") for spelled in (OPEN, "@show", WINDOW)]
    etags = {file.etag for file in files if file}
    assert len(etags) == 1
    assert len(tree._viewed._kept) == 1
    assert len({file.read(0, None) for file in files if file}) == 1


def test_the_image_is_looked_at_once(images: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def counted(*arguments):
        looks.append("look")
        return look(*arguments)

    monkeypatch.setattr(autocontrast, "look", counted)
    tree = ByName(images)
    for name in ("zarr.json", "0/c/0/0", "0/zarr.json"):
        assert tree.file(f"lab/scan.tif/{OPEN}/scan.ome.zarr/{name}")
        tree.canonical(f"lab/scan.tif/{OPEN}/scan.ome.zarr/{name}")
    assert looks == ["look"]


def test_a_file_that_changes_is_looked_at_again(images: Catalogue, tmp_path: Path) -> None:
    tree = ByName(images)
    assert tree.canonical(f"lab/scan.tif/{OPEN}/{FILE}") == f"lab/scan.tif/{WINDOW}/{FILE}"
    tifffile.imwrite(tmp_path / "scan.tif", np.array([[5, 6]], np.uint16))
    assert tree.canonical(f"lab/scan.tif/{OPEN}/{FILE}") == f"lab/scan.tif/window,low=5,high=6/{FILE}"


def test_the_rest_part_and_python_tell_the_numbers_too(images: Catalogue, tmp_path: Path) -> None:
    document = representations(images, "lab/scan.tif", OPEN, "")
    assert document["view"] == WINDOW
    assert all(WINDOW in row["url"] for row in document["representations"])
    opened = diascope.open(f"{tmp_path}/scan.tif/{OPEN}")
    np.testing.assert_array_equal(opened[...], diascope.open(f"{tmp_path}/scan.tif/{WINDOW}")[...])
    assert opened.origin is not None
    assert WINDOW in repr(opened.origin)
