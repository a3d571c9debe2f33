"""A path gives the same bytes through each door: one list of sizes and checksums, whoever walks the tree."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

import boto3
import fsspec
import httpx
import nibabel
import numpy as np
import pytest
import tifffile
from botocore import UNSIGNED
from botocore.config import Config

from diascope.access.fsspec import DiascopeFileSystem
from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.registry import registry
from diascope.settings import RepositorySettings, Settings
from diascope.stores.http import SAFE
from diascope.tree.file import File
from diascope.tree.walk import listed_files
from tests.conformance.samples import labels
from tests.mounts import mounted, needed
from tests.servers import LiveServer, of_folder

RANDOM = np.random.default_rng(9)
VIEWS = ("cells.tif/crop,x=3..60", "head.nii/window,low=0,high=900", "slide.tif/crop,y=20..90")
"""Of each image one that no folder lists."""

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]


class Told(NamedTuple):
    """What a door says of a file, and gives of it."""

    size: int
    digest: str


Listed = dict[str, Told]


def told(size: int, data: bytes) -> Told:
    return Told(size, sha256(data).hexdigest())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Planes of several axes, a volume, a picture, labels, and a file that is no image."""
    folder = tmp_path_factory.mktemp("doors") / "box"
    (folder / "notes of ä").mkdir(parents=True)
    cells = RANDOM.integers(0, 60_000, (2, 2, 2, 50, 300), dtype=np.uint16)
    tifffile.imwrite(folder / "cells.tif", cells, imagej=True, metadata={"axes": "TZCYX"})
    head = RANDOM.integers(0, 1000, (20, 30, 9), dtype=np.int16)
    nibabel.Nifti1Image(head, np.diag([1.0, 2.0, 3.0, 1.0])).to_filename(folder / "head.nii")
    picture = RANDOM.integers(0, 256, (100, 290, 3), dtype=np.uint8)
    tifffile.imwrite(folder / "slide.tif", picture, photometric="rgb", tile=(64, 64))
    labels(folder / "labels.ome.zarr")
    (folder / "notes of ä" / "50% + a&b.txt").write_text("Grüße")
    return folder


@pytest.fixture(scope="module")
def tree(folder: Path) -> ByName:
    return ByName(catalogue(Settings(repositories={"box": RepositorySettings(path=folder)})))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[LiveServer]:
    running = of_folder(folder)
    yield running
    running.stop()
    DiascopeFileSystem.clear_instance_cache()


@pytest.fixture(scope="module")
def plain(tree: ByName) -> Listed:
    """What the tree has without any door: what each of them is to give."""
    return without_door(tree, lambda file, _: file)


@pytest.fixture(scope="module")
def located(tree: ByName, server: LiveServer) -> Listed:
    """The same for doors by whose URLs a IIIF image says where it is."""
    return without_door(
        tree, lambda file, path: file.located(f"{server.url}/data/{quote(path, safe=SAFE)}") if file.located else file
    )


def without_door(tree: ByName, placed: Callable[[File, str], File]) -> Listed:
    found = {}
    for top in tops():
        for path in listed_files(tree, top):
            file = tree.file(path)
            assert file is not None
            data = placed(file, path).read(0, None)
            found[path] = told(len(data), data)
    return found


def tops() -> list[str]:
    return ["box", *(f"box/{view}" for view in VIEWS)]


def test_every_layout_is_in_the_list(plain: Listed) -> None:
    """So is a view that is not listed, and a file that is no image."""
    for layout in registry("layouts").values():
        assert any(layout.suffix in path for path in plain), layout.name
    assert all(any(path.startswith(f"box/{view}/") for path in plain) for view in VIEWS)
    assert "box/notes of ä/50% + a&b.txt" in plain


def test_http(server: LiveServer, located: Listed) -> None:
    with httpx.Client(base_url=f"{server.url}/data/") as client:

        def below(folder: str) -> Iterator[str]:
            page: str | None = f"{quote(folder)}/?offset=0"
            while page:
                told = client.get(page).raise_for_status().json()
                for entry in told["entries"]:
                    path = f"{folder}/{entry['name']}"
                    yield from below(path) if entry["type"] == "folder" else [path]
                page = f"{quote(folder)}/{told['next']}" if told["next"] else None

        def each(path: str) -> Told:
            size = client.head(quote(path)).raise_for_status().headers.get("content-length")
            data = client.get(quote(path)).raise_for_status().content
            return told(len(data) if size is None else int(size), data)

        same({path: each(path) for top in tops() for path in below(top)}, located)


def test_s3(server: LiveServer, plain: Listed) -> None:
    config = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"})
    s3 = boto3.client("s3", endpoint_url=f"{server.url}/s3", region_name="us-east-1", config=config)
    found = {}
    for prefix in [top.partition("/")[2] for top in tops()]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="box", Prefix=f"{prefix}/" if prefix else "")
        for key in [key for page in pages for key in page["Contents"]]:
            data = s3.get_object(Bucket="box", Key=key["Key"])["Body"].read()
            found[f"box/{key['Key']}"] = told(key["Size"], data)
    same(found, plain)


def test_webdav(server: LiveServer, plain: Listed) -> None:
    with httpx.Client(base_url=server.url) as client:

        def below(folder: str) -> Iterator[tuple[str, int]]:
            reply = client.request("PROPFIND", f"/dav/{quote(folder)}/", headers={"Depth": "1"}).raise_for_status()
            for response in list(ET.fromstring(reply.content).iter("{DAV:}response")):  # noqa: S314 — our own
                href = urlsplit(response.findtext("{DAV:}href") or "").path
                path = unquote(href).removeprefix("/dav/").rstrip("/")
                if response.find(".//{DAV:}collection") is None:
                    yield path, int(response.findtext(".//{DAV:}getcontentlength") or -1)
                elif path != folder:
                    yield from below(path)

        found = {}
        for path, size in [each for top in tops() for each in below(top)]:
            found[path] = told(size, client.get(f"/dav/{quote(path)}").raise_for_status().content)
        same(found, plain)


def test_mount_of_a_folder(folder: Path, plain: Listed, tmp_path: Path) -> None:
    needed()
    same(on_mount(folder, tmp_path), plain)


def test_mount_of_a_server(server: LiveServer, located: Listed, tmp_path: Path) -> None:
    needed()
    same(on_mount(f"{server.url}/data/box", tmp_path), located)


def on_mount(address: Path | str, place: Path) -> Listed:
    with mounted(address, place / "box") as mount:
        found = {}
        for top in tops():
            for where, _, names in os.walk(place / top):
                for path in (Path(where, name) for name in names):
                    found[str(path.relative_to(place))] = told(path.stat().st_size, path.read_bytes())
        assert mount.log.read_text() == ""
    return found


def test_fsspec(server: LiveServer, located: Listed) -> None:
    files = fsspec.filesystem("diascope", host=server.url.removeprefix("http://"))
    same(
        {path: told(files.size(path), files.cat_file(path)) for top in tops() for path in files.find(top)},
        located,
    )


def test_another_byte_name_or_size_is_noticed(plain: Listed) -> None:
    path = next(iter(plain))
    wrong: list[Listed] = [
        {**plain, path: plain[path]._replace(size=plain[path].size + 1)},
        {**plain, path: plain[path]._replace(digest="0" * 64)},
        {each: told for each, told in plain.items() if each != path},
        {**plain, "box/ghost": plain[path]},
    ]
    for each in wrong:
        with pytest.raises(AssertionError, match=r"ghost|are not|differ"):
            same(each, plain)


def same(found: Listed, wanted: Listed) -> None:
    """The same paths, sizes and bytes."""
    missing, more = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    assert not missing, f"{sorted(missing)[:5]} are not there, {len(missing)} in all"
    assert not more, f"{sorted(more)[:5]} are there and are ghosts, {len(more)} in all"
    differ = [f"{path}: {found[path]}, not {wanted[path]}" for path in wanted if found[path] != wanted[path]]
    assert not differ, f"{len(differ)} differ: {differ[:3]}"
