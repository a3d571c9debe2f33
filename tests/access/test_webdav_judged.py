"""The WebDAV door, judged by programs that mount, copy and test; each has to see through servers that are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
import zarr
from starlette.types import ASGIApp

from diascope.access import webdav_propfind
from diascope.access.admission import Limits
from diascope.access.http import Server
from diascope.access.webdav import WebDav
from diascope.access.webdav_propfind import Wanted
from diascope.tree.cache import Identified, file_cache
from diascope.tree.file import Entry, File, Tree, in_memory, whole
from diascope.tree.table import Table
from tests.judges import litmus
from tests.judges.pixels import Rejected
from tests.judges.required import required
from tests.judges.webdav_clients import CLIENTS, Client, checked, davfs, rclone, rclone_mount
from tests.mounts import needed
from tests.servers import LiveServer, of_folder

PIXELS = np.random.default_rng(3).integers(0, 4000, (2, 5, 300, 517)).astype(np.uint16)
FILES = {
    "large.bin": np.random.default_rng(4).bytes(300_001),
    "below/made.bin": bytes(range(256)) * 7,
    "below/ä é 😀.txt": "Grüße".encode(),
    "below/a+b & c#d%41.txt": b"odd",
    "below/empty": b"",
}

pytestmark = [pytest.mark.judge, pytest.mark.timeout(120)]


def table() -> Table:
    """The files in a folder ``box``; of one nobody knows the size before its bytes are made."""
    tree = Table()
    for path, data in FILES.items():
        make = (lambda data=data: whole(lambda: data, "text/plain")) if "made" in path else None
        tree.add(f"box/{path}", make or (lambda data=data: in_memory(data, "text/plain")))
    return tree


@dataclass(frozen=True)
class Twin:
    """The tree with one file wrong."""

    tree: Tree
    fault: str
    path: str = "box/below/made.bin"

    def file(self, path: str) -> File | None:
        file = self.tree.file(path)
        if file is None or path != self.path:
            return file
        data = file.read(0, None)
        if self.fault == "flipped":
            data = data[:-1] + bytes([data[-1] ^ 1])
        size = len(data) + {"longer": 9, "shorter": -9}.get(self.fault, 0)
        return None if self.fault == "gone" else replace(file, size=size, read=lambda start, stop: data[start:stop])

    def entries(self, path: str) -> Iterator[Entry] | None:
        found = self.tree.entries(path)
        if found is None or self.fault != "unlisted":
            return found
        return (entry for entry in found if f"{path}/{entry.name}" != self.path)


def app(tree: Tree) -> ASGIApp:
    door = WebDav(Identified(tree, "v1", file_cache(1 << 20)))
    return Server(handlers={}, rest={}, limits=Limits(threads=4), webdav=door.answer)


@pytest.fixture(scope="module")
def right() -> Iterator[LiveServer]:
    running = LiveServer(app(table()))
    yield running
    running.stop()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_gets_every_file(client: Client, right: LiveServer, tmp_path: Path) -> None:
    required(client.missing())
    (tmp_path / "copy").mkdir()
    checked(client, f"{right.url}/dav/box", FILES, tmp_path / "copy")


FAULTS = ("flipped", "longer", "shorter", "gone", "unlisted")
CASES = [(client, fault) for client in CLIENTS for fault in FAULTS[: 5 if client.seconds < 1 else 3]]


@pytest.mark.parametrize(("client", "fault"), CASES, ids=lambda value: getattr(value, "name", value))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_client_sees_what_is_wrong(client: Client, fault: str, tmp_path: Path) -> None:
    required(client.missing())
    (tmp_path / "copy").mkdir()
    running = LiveServer(app(Twin(table(), fault)))
    try:
        with pytest.raises(Rejected):
            checked(client, f"{running.url}/dav/box", FILES, tmp_path / "copy")
    finally:
        running.stop()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("webdav") / "box"
    (folder / "folder of").mkdir(parents=True)
    tifffile.imwrite(folder / "folder of" / "cells.tif", PIXELS, imagej=True, metadata={"axes": "ZCYX"})
    running = of_folder(folder)
    yield running
    running.stop()


ORIGINAL = "dav/box/folder%20of/cells.tif/original"


def test_rclone_copies_an_image_and_cuts_a_part(images: LiveServer, tmp_path: Path) -> None:
    required(CLIENTS[0].missing())
    url = f"{images.url}/{ORIGINAL}"
    assert "cells.ome.zarr/" in rclone(url, "lsf").splitlines()
    rclone(f"{url}/cells.ome.zarr", "copy", str(tmp_path))
    rclone(f"{url}/cells.ome.zarr", "check", str(tmp_path), "--download")
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "0", mode="r")[:], PIXELS.swapaxes(0, 1))
    top = ("--include=cells.nrrd", "--max-depth=1")
    rclone(url, "copy", *top, str(tmp_path))
    data = httpx.get(f"{url.replace('/dav/', '/data/')}/cells.nrrd").content
    assert (tmp_path / "cells.nrrd").read_bytes() == data
    assert rclone(url, "cat", *top, "--offset=1", "--count=3") == "RRD"


FOLDERS = ["", "/folder%20of", "/folder%20of/cells.tif", "/folder%20of/cells.tif/original"]


@pytest.mark.parametrize("folder", [*FOLDERS, f"{FOLDERS[3]}/cells.ome.zarr", "/folder%20of/cells.tif/stored"])
def test_what_file_managers_look_for_is_nowhere(images: LiveServer, folder: str) -> None:
    for name in ("desktop.ini", "Thumbs.db", "._cells.tif", ".DS_Store", "folder.jpg"):
        for method in ("PROPFIND", "HEAD"):
            url = f"{images.url}/dav/box{folder}/{name}"
            assert httpx.request(method, url, headers={"depth": "0"}).status_code == 404, (method, url)


def test_programs_read_an_image_where_davfs2_mounts_it(images: LiveServer, tmp_path: Path) -> None:
    required(CLIENTS[-1].missing())
    with davfs(images.url + "/dav", tmp_path) as top:
        path = top / "box" / "folder of" / "cells.tif" / "original" / "cells.ome.tif"
        np.testing.assert_array_equal(tifffile.imread(path), PIXELS.swapaxes(0, 1))
        with pytest.raises(OSError, match="Read-only"):
            (path.parent / "new").write_bytes(b"")


def test_programs_list_and_read_an_image_where_rclone_mounts_it(images: LiveServer, tmp_path: Path) -> None:
    required(CLIENTS[0].missing())
    needed()
    with rclone_mount(f"{images.url}/dav", tmp_path) as top:
        views = top / "box" / "folder of" / "cells.tif"
        assert {each.name for each in views.iterdir()} == {"original", "render", "stored"}
        np.testing.assert_array_equal(tifffile.imread(views / "original" / "cells.ome.tif"), PIXELS.swapaxes(0, 1))
        with pytest.raises(OSError, match="Read-only"):
            (top / "new").touch()


@pytest.mark.parametrize("folder", ["box", "box/below"])
def test_litmus_passes_as_far_as_it_only_reads(right: LiveServer, folder: str) -> None:
    required(litmus.missing())
    found = litmus.verdicts(f"{right.url}/dav/{folder}")
    for suite, names in litmus.READ_ONLY.items():
        assert {name: found[suite].get(name) for name in names} == dict.fromkeys(names, "pass"), (suite, found[suite])
    for suite, names in litmus.WRITING.items():
        assert {name: found[suite].get(name) for name in names} == dict.fromkeys(names, "FAIL"), (suite, found[suite])


def test_litmus_sees_a_server_that_takes_any_body(right: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    required(litmus.missing())
    monkeypatch.setattr(webdav_propfind, "wanted", lambda _: Wanted("allprop", []))
    found = litmus.verdicts(f"{right.url}/dav/box")["props"]
    assert found["propfind_invalid"] == found["propfind_invalid2"] == "FAIL"
