"""The walk over the registries: every source in every layout gives the same bytes through every door, on tiny files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.layouts.layout import Layout
from diascope.registry import registry
from diascope.settings import RepositorySettings, Settings
from diascope.testing.trees import files
from diascope.tree.file import File
from tests.servers import LiveServer, of_folder
from tests.sources.test_contract import SAMPLES

MOST_LISTED = 200
MOST_READ = 3
SOURCES, LAYOUTS = registry("sources"), registry("layouts")
CASES = [(source, name) for source in SOURCES for name in SAMPLES.get(source, ["no sample"])]
EACH = "ome-zarr"
"""The layout that takes any image: that of all samples but the first of a source, which goes through every layout."""
WALKS = [
    (source, name, layout)
    for source in SOURCES
    for k, name in enumerate(SAMPLES.get(source, ["no sample"]))
    for layout in (LAYOUTS if k == 0 else [EACH])
]

pytestmark = pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")


class Reply(NamedTuple):
    """What came over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json", self
        return dict(json.loads(self.body))


class Door(NamedTuple):
    """A folder served, and the same tree without a server."""

    folder: Path
    tree: ByName
    server: LiveServer

    def asked(self, path: str, method: str = "GET", *, below: str = "data", **headers: str) -> Reply:
        host, port = self.server.url.removeprefix("http://").split(":")
        with closing(HTTPConnection(host, int(port), timeout=60)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, quote(f"/{below}/{path}"), headers=named)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def file(self, path: str) -> File:
        """The file as a door with URLs has it."""
        file = self.tree.file(path)
        assert file is not None, f"{path} is listed, and no file"
        return file.located(f"{self.server.url}/data/{quote(path)}") if file.located else file

    def paths(self, view: str, layout: Layout) -> list[str]:
        """Of some of the layout's files: of those listed first a few that lie far apart, and of those not listed."""
        name = self.image_name(view)
        tops = [name + suffix for suffix in (layout.suffix, *layout.companions)]
        found: list[str] = []
        for top in tops:
            path = f"{view}/{top}"
            if self.tree.entries(path) is None:
                found.append(path)
                continue
            listed = list(islice(files(self.tree, path), MOST_LISTED))
            found += [*listed[:: max(1, len(listed) // MOST_READ)], listed[-1]]
        return list(dict.fromkeys(found)) + [f"{view}/{name}{layout.suffix}{example}" for example in layout.examples]

    def place(self, name: str) -> str:
        """The path of a sample's only image, or of its first one: of fields of wells the names have slashes."""
        path = f"{self.folder.name}/{name}"
        while (names := [entry.name for entry in self.tree.entries(path) or ()]) and "original" not in names:
            path = f"{path}/{names[0]}"
        return path

    def image_name(self, view: str) -> str:
        """The name that the files of a view begin with."""
        entries = [entry.name for entry in self.tree.entries(view) or ()]
        name = next((n.removesuffix(".ome.zarr") for n in entries if n.endswith(".ome.zarr")), None)
        assert name is not None, f"{view} lists no OME-Zarr, which holds every image: {entries}"
        return name.removesuffix(".zarr2").removesuffix(".zarr06")


def opened(folder: Path) -> Door:
    settings = Settings(repositories={folder.name: RepositorySettings(path=folder)}, refresh_seconds=0)
    return Door(folder, ByName(catalogue(settings)), of_folder(folder, refresh_seconds=0))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("walk") / "tiny"
    folder.mkdir()
    for samples in SAMPLES.values():
        for name, make in samples.items():
            make(folder / name)
    served = opened(folder)
    yield served
    served.server.stop()


def taken(door: Door, name: str, layout: Layout) -> str | None:
    """The first view of a sample that the layout takes, None where it takes neither itself nor its render."""
    for view in ("original", "render"):
        path = f"{door.place(name)}/{view}"
        image = door.image_name(path)
        reply = door.asked(f"{path}/{image}{layout.suffix}", "HEAD")
        if reply.status != 422:
            return path
        check_refusal(door.asked(f"{path}/{image}{layout.suffix}").problem())
    return None


def check_refusal(problem: dict[str, Any]) -> None:
    """One sentence that names what would help: an operation, or another layout."""
    told = problem["detail"]
    words = set(told.replace(",", " ").replace("'", " ").replace(";", " ").replace(":", " ").split())
    titles = ("OME-Zarr", "precomputed", "NIfTI", "OME-TIFF")
    assert words & set(registry("operations")) or any(title in told for title in titles), told


def check_file(door: Door, path: str) -> None:
    """The bytes, the identity, the conditions and the ranges of one file, over HTTP and without it."""
    data = door.file(path).read(0, None)
    whole = door.asked(path)
    assert whole.status == 200, (path, whole)
    assert whole.body == data, f"{path} has other bytes over HTTP"
    tag = whole.headers["etag"]
    assert tag.startswith('"'), f"{path} has no strong ETag"
    assert tag == f'"{door.file(path).etag}"', f"{path} has another ETag over HTTP"
    head = door.asked(path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["etag"] == tag
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.headers.get("content-length", str(len(data))) == str(len(data)), f"{path} has another length in HEAD"
    assert door.asked(path, if_none_match=tag).status == 304
    check_ranges(door, path, data, tag)
    check_s3(door, path)
    check_webdav(door, path)


def check_s3(door: Door, path: str) -> None:
    """The same through the S3 door, where a key is no URL and a tag no MD5."""
    file = door.tree.file(path)
    assert file is not None, path
    data, tag = file.read(0, None), f'"{file.etag}-1"'
    whole = door.asked(path, below="s3")
    assert (whole.status, whole.headers["etag"]) == (200, tag), (path, whole)
    assert whole.body == data, f"{path} has other bytes through S3"
    head = door.asked(path, "HEAD", below="s3")
    assert (head.status, head.headers["content-length"], head.headers["etag"]) == (200, str(len(data)), tag), path
    part = door.asked(path, below="s3", range=f"bytes={len(data) // 2}-", if_match=tag)
    assert (part.status, part.body) == (206, data[len(data) // 2 :]), path


def check_webdav(door: Door, path: str) -> None:
    """The same through the WebDAV door, where a file that tells its own URL is as it is."""
    file = door.tree.file(path)
    assert file is not None, path
    data, tag = file.read(0, None), f'"{file.etag}"'
    whole = door.asked(path, below="dav")
    assert (whole.status, whole.headers["etag"]) == (200, tag), (path, whole)
    assert whole.body == data, f"{path} has other bytes through WebDAV"
    part = door.asked(path, below="dav", range=f"bytes={len(data) // 2}-", if_match=tag)
    assert (part.status, part.body) == (206, data[len(data) // 2 :]), path
    told = door.asked(path, "PROPFIND", below="dav", depth="0")
    assert told.status == 207, (path, told)
    assert f"<D:getcontentlength>{len(data)}</D:getcontentlength>".encode() in told.body, path
    assert f"<D:getetag>{tag}</D:getetag>".encode() in told.body, path


def check_ranges(door: Door, path: str, data: bytes, tag: str) -> None:
    size = len(data)
    for start, stop in {(0, 1), (size // 3, size // 3 + 7), (size - 1, size)}:
        part = door.asked(path, range=f"bytes={start}-{stop - 1}", if_range=tag)
        end = min(stop, size)
        assert part.status == 206, (path, start, stop, part)
        assert part.body == data[start:end], f"{path} from {start} to {stop}"
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    assert door.asked(path, range="bytes=-3").body == data[-3:]
    beyond = door.asked(path, range=f"bytes={size}-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert door.asked(path, range="bytes=0-1", if_range='"another"').status == 200


def test_every_source_has_a_sample() -> None:
    """A new source comes with a sample of it, one line in tests/sources/test_contract.py."""
    assert set(SAMPLES) == set(SOURCES)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_takes_a_sample(layout: str, door: Door) -> None:
    """Of any source, as it is or rendered; a layout that takes none would pass the walk unseen."""
    assert any(taken(door, name, LAYOUTS[layout]) for _, name in CASES)


@pytest.mark.parametrize(("source", "name", "layout"), WALKS)
def test_every_door_gives_the_same_bytes(source: str, name: str, layout: str, door: Door) -> None:
    assert name in SAMPLES.get(source, ()), f"{source} has no sample in tests/sources/test_contract.py"
    view = taken(door, name, LAYOUTS[layout])
    if view is None:
        return
    paths = door.paths(view, LAYOUTS[layout])
    assert paths, f"{layout} has no files"
    for path in paths:
        check_file(door, path)


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_that_was_replaced_has_other_etags_in_every_layout(source: str, tmp_path: Path) -> None:
    (first, make), (_, make_other) = islice(SAMPLES[source].items(), 2)
    folder = tmp_path / "changing"
    folder.mkdir()
    make(folder / first)
    door = opened(folder)
    try:
        before = dict(first_files(door, first))
        assert before
        replace(folder / first, make_other)
        seen = [check_replaced(door, path, old) for path, old in before.items()]
        assert any(seen), "of the new file nothing was served"
    finally:
        door.server.stop()


def first_files(door: Door, name: str) -> Iterator[tuple[str, Reply]]:
    for layout in LAYOUTS.values():
        if view := taken(door, name, layout):
            path = door.paths(view, layout)[0]
            yield path, door.asked(path)


def check_replaced(door: Door, path: str, old: Reply) -> bool:
    """Whether the path is there after the file was replaced, and then nobody is told that it is as before."""
    now = door.asked(path, if_none_match=old.headers["etag"])
    assert now.status in {200, 404, 422}, (path, now)
    if now.status != 200:
        return False
    assert now.headers["etag"] != old.headers["etag"]
    assert now.body == door.file(path).read(0, None)
    return True


def replace(path: Path, make: Any) -> None:
    """Another sample under the same name, as a program that saves a file anew leaves it."""
    other = path.with_name(f".other-{path.name}")
    make(other)
    if path.is_dir():
        shutil.rmtree(path)
    other.rename(path)
