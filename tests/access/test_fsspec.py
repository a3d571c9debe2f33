"""A server as a file system of fsspec, found by its protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
import tifffile
import zarr
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

import diascope
from diascope.access.fsspec import DiascopeFileSystem
from diascope.commands.sample import sample

IMAGE = "microscopy/cells.ome.tif"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fsspec") / "sample"
    sample(folder)
    return folder


@pytest.fixture(scope="module")
def base(folder: Path, server: Callable[[Path], str]) -> Iterator[str]:
    yield f"{server(folder).replace('http', 'diascope')}/sample"
    DiascopeFileSystem.clear_instance_cache()


def test_it_lists_and_tells_folders_from_files(base: str) -> None:
    files, path = fsspec.url_to_fs(f"{base}/microscopy")
    assert isinstance(files, DiascopeFileSystem)
    assert path == "sample/microscopy"
    assert "sample/microscopy/cells.ome.tif" in files.ls(path, detail=False)
    assert files.isdir(path)
    assert not files.isfile(path)
    stored = f"{base}/{IMAGE}/stored/cells.ome.tif"
    assert files.isfile(stored)
    assert files.isdir(f"{base}/{IMAGE}/render/cells.iiif"), "although a browser is led to a file in it"
    assert [entry["type"] for entry in files.ls(stored)] == ["file"]
    assert not files.exists(f"{base}/nothing")
    with pytest.raises(FileNotFoundError):
        files.info(f"{base}/nothing")
    with pytest.raises(FileNotFoundError):
        files.ls(f"{base}/nothing")


def test_a_stored_file_is_the_file(base: str, folder: Path) -> None:
    data = (folder / IMAGE).read_bytes()
    url = f"{base}/{IMAGE}/stored/cells.ome.tif"
    files, path = fsspec.url_to_fs(url)
    assert files.info(path)["size"] == len(data)
    assert files.cat(path) == data
    assert files.cat_file(path, 10, 20) == data[10:20]
    assert files.cat_file(path, -20) == data[-20:]
    assert files.cat_file(path, 5, -5) == data[5:-5]
    assert files.ukey(path) == files.ukey(path)
    with fsspec.open(url, "rb") as file:
        file.seek(1000)
        assert file.read(3000) == data[1000:4000]


def test_a_virtual_tiff_is_read_through_an_open_file(base: str, folder: Path) -> None:
    with fsspec.open(f"{base}/{IMAGE}/project,axis=z/cells.ome.tif") as file:
        pixels = tifffile.imread(file)
    assert np.array_equal(pixels, diascope.open(f"{folder / IMAGE}/project,axis=z")[...])


def test_zarr_python_reads_through_it(base: str, folder: Path) -> None:
    files, path = fsspec.url_to_fs(f"{base}/{IMAGE}/original/cells.ome.zarr")
    store = zarr.storage.FsspecStore(AsyncFileSystemWrapper(files, asynchronous=True), read_only=True, path=path)
    assert np.array_equal(zarr.open_array(store, path="0", mode="r")[1, 2], diascope.open(folder / IMAGE)[1, 2])


def test_hidden_metadata_of_zarr_2_is_listed(base: str) -> None:
    files, path = fsspec.url_to_fs(f"{base}/{IMAGE}/original/cells.zarr2.ome.zarr")
    assert {".zgroup", ".zattrs", "0"} <= {name.rpartition("/")[2] for name in files.ls(path, detail=False)}


def test_it_cannot_be_written(base: str) -> None:
    files, path = fsspec.url_to_fs(f"{base}/new.txt")
    with pytest.raises(PermissionError, match="never written"):
        files.open(path, "wb")
    assert files.unstrip_protocol(path) == f"{base}/new.txt"
