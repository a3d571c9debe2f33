"""The root tree by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.errors import BadRequest, Unreadable, Unsupported
from diascope.settings import RepositorySettings, Settings
from diascope.tree import order

PIXELS = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)


@pytest.fixture
def tree(tmp_path: Path) -> ByName:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    tifffile.imwrite(tmp_path / "deep" / "er" / "stack.tif", PIXELS, imagej=True, metadata={"axes": "ZYX"})
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as writer:
        writer.write(PIXELS[0], metadata={"axes": "YX", "Name": "first"})
        writer.write(PIXELS[1], metadata={"axes": "YX", "Name": "se/cond"})
    (tmp_path / "bad.tif").write_bytes(b"II*\0")
    (tmp_path / "read me.txt").write_text("hello")
    views = {"top": "select,axis=z,index=0"}
    return ByName(catalogue(Settings(repositories={"lab": RepositorySettings(path=tmp_path, views=views)})))


def names(tree: ByName, path: str) -> list[str]:
    return [entry.name + "/" * entry.is_folder for entry in tree.entries(path) or ()]


def data(tree: ByName, path: str) -> bytes:
    file = tree.file(path)
    assert file, path
    return file.read(0, None)


def test_folders_images_scenes_and_views_list(tree: ByName) -> None:
    assert names(tree, "") == ["lab/"]
    assert names(tree, "lab") == ["bad.tif/", "deep/", "read me.txt", "two.ome.tif/"]
    assert names(tree, "lab/deep/er/stack.tif") == ["original/", "render/", "@top/", "stored/"]
    assert names(tree, "lab/two.ome.tif")[-1] == "stored/"
    scenes = names(tree, "lab/two.ome.tif")[:-1]
    assert len(scenes) == 2
    assert "original/" in names(tree, f"lab/two.ome.tif/{scenes[1]}".rstrip("/"))
    assert "stack.ome.zarr/" in names(tree, "lab/deep/er/stack.tif/original")
    assert "stack.dzi" in names(tree, "lab/deep/er/stack.tif/render")


def test_an_unreadable_image_shows_what_is_stored_and_hides_no_other(tree: ByName) -> None:
    assert names(tree, "lab/bad.tif") == ["stored/"]
    assert names(tree, "lab/bad.tif/stored") == ["bad.tif"]
    with pytest.raises(Unreadable, match=r"bad\.tif"):
        tree.file("lab/bad.tif/original/bad.ome.zarr/zarr.json")
    assert tree.file("lab/deep/er/stack.tif/original/stack.ome.zarr/zarr.json")


def test_files_as_they_lie(tree: ByName, tmp_path: Path) -> None:
    assert data(tree, "lab/read me.txt") == b"hello"
    assert data(tree, "lab/two.ome.tif/stored/two.ome.tif") == (tmp_path / "two.ome.tif").read_bytes()
    assert tree.file("lab/two.ome.tif/stored/bad.tif") is None
    assert tree.file("lab/two.ome.tif/stored") is None


def test_a_view_has_one_identity_however_it_is_spelled(tree: ByName) -> None:
    spellings = ["window,low=0,high=9000", "window,high=9000,low=0", "window,low=0.0,high=9e3"]
    files = [tree.file(f"lab/deep/er/stack.tif/{text}/stack.ome.zarr/0/c/0/0/0") for text in spellings]
    assert len({file.etag for file in files if file}) == 1
    paths = {tree.canonical(f"lab/deep/er/stack.tif/{text}/stack.dzi") for text in spellings}
    assert len(paths) == 1
    assert data(tree, paths.pop().replace("stack.dzi", "stack.ome.zarr/zarr.json"))


def test_a_saved_view_is_the_view_it_stands_for(tree: ByName) -> None:
    saved = tree.file("lab/deep/er/stack.tif/@top/stack.ome.zarr/0/zarr.json")
    spelled = tree.file("lab/deep/er/stack.tif/select,axis=z,index=0/stack.ome.zarr/0/zarr.json")
    assert saved
    assert spelled
    assert saved.etag == spelled.etag


def test_different_views_layouts_and_scenes_never_share_an_etag(tree: ByName) -> None:
    first, second = names(tree, "lab/two.ome.tif")[:2]
    paths = [
        "lab/deep/er/stack.tif/original/stack.ome.zarr/zarr.json",
        "lab/deep/er/stack.tif/@top/stack.ome.zarr/zarr.json",
        "lab/deep/er/stack.tif/original/stack.zarr2.ome.zarr/.zattrs",
        f"lab/two.ome.tif/{first}original/{first.rstrip('/')}.ome.zarr/zarr.json",
        f"lab/two.ome.tif/{second}original/{second.rstrip('/')}.ome.zarr/zarr.json",
    ]
    tags = [file.etag for path in paths if (file := tree.file(path))]
    assert len(set(tags)) == len(paths)


def test_a_layout_that_refuses_says_why(tree: ByName) -> None:
    with pytest.raises(Unsupported, match="render"):
        tree.file("lab/deep/er/stack.tif/original/stack.dzi")


@pytest.mark.parametrize("view", ["nonsense", "@nothing", "window,low=x", "crop,x=5..1"])
def test_a_wrong_view_says_what_is_wrong(tree: ByName, view: str) -> None:
    with pytest.raises(BadRequest):
        tree.file(f"lab/deep/er/stack.tif/{view}/stack.dzi")


@pytest.mark.parametrize(
    "path",
    ["nowhere", "lab/nothing", "lab/deep/er/stack.tif", "lab/deep", "lab/read me.txt/x", "lab/two.ome.tif/third"],
)
def test_absent_is_none(tree: ByName, path: str) -> None:
    assert tree.file(path) is None


@pytest.mark.parametrize("block", [2, 1001])
def test_every_folder_lists_in_the_order_of_keys(tree: ByName, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(order, "BLOCK", block)
    folder = tree.catalogue.repositories["lab"].store.local_path("")
    assert folder
    for name in ("two.ome.tif.txt", "two.ome.tif-", "deep.txt", "bad", "Z", "ä"):
        Path(folder, name).touch()
    for path in ("", "lab", "lab/deep", "lab/two.ome.tif", "lab/bad.tif", "lab/deep/er/stack.tif/original"):
        expected = sorted(names(tree, path), key=str.encode)
        for start in ("", *expected, "\U0010ffff"):
            found = tree.entries_from(path, start)
            assert found is not None, path
            assert list(map(order.key, found)) == [name for name in expected if name >= start], path
    assert tree.entries_from("lab/read me.txt", "") is None
    assert tree.entries_from("lab/none", "") is None


def test_all_keys_of_a_repository_are_in_order_and_are_files(tree: ByName) -> None:
    found = list(order.keys(tree, "lab", "", "", deep=True))
    assert found == sorted(found, key=str.encode)
    assert len(set(found)) == len(found)
    assert {"bad.tif/stored/bad.tif", "read me.txt", "deep/er/stack.tif/@top/stack.ome.zarr/zarr.json"} <= {*found}
    assert all(tree.file(f"lab/{key}") for key in found)
