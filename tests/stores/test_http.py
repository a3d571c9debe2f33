"""Files of a server as a store: a plain one that answers ranges, and ones that misbehave."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import zarr

import diascope
from diascope.errors import BadRequest, Forbidden, NotFound, Overloaded, Unreadable, Unsupported
from diascope.stores import web
from diascope.stores.http import HttpStore

DATA = bytes(range(256)) * 4


class Plain(BaseHTTPRequestHandler):
    """Files of a folder in ranges; a name says how else it answers."""

    protocol_version = "HTTP/1.1"
    folder: Path
    connections: set[object]
    busy: int

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        name = self.path.partition("?")[0].strip("/")
        if name.isdecimal():
            self._send(int(name), b'{"detail": "because of the moon"}')
        elif name == "busy" and type(self).busy:
            type(self).busy -= 1
            self._send(503, b"", {"retry-after": "0"})
        elif (self.folder / name).is_file():
            self._file(name, (self.folder / name).read_bytes())
        else:
            self._send(404, b"nothing")

    do_HEAD = do_GET  # noqa: N815 - the name that the library calls

    def _file(self, name: str, data: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        if not asked or name == "rangeless":
            self._send(200, data, {"etag": '"1"'} if name != "changing" else {"etag": '"before"'})
            return
        start, stop = int(asked[1]), int(asked[2]) + 1
        if name == "elsewhere":
            start, stop = start + 1, stop + 1
        etag = '"after"' if name == "changing" else '"1"'
        place = {"content-range": f"bytes {start}-{stop - 1}/{len(data)}", "etag": etag}
        self._send(206, data[start:stop], place, cut=name == "cut")

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None, *, cut: bool = False) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection |= cut

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[HttpStore]:
    for name in ("file", "rangeless", "elsewhere", "changing", "cut", "busy", "ä b?#%"):
        (tmp_path / name).write_bytes(DATA)
    Plain.folder, Plain.connections, Plain.busy = tmp_path, set(), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Plain)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield HttpStore(f"http://127.0.0.1:{server.server_address[1]}/")
    server.shutdown()
    web.pool().clear()
    server.server_close()
    thread.join(5)


def test_it_reads_any_part_of_a_file_on_one_connection(plain: HttpStore) -> None:
    blob = plain.open("file")
    assert blob.stat.size == len(DATA)
    assert blob.read(2, 5) == DATA[2:5]
    assert blob.read(1000, 5000) == DATA[1000:]
    assert blob.read(5000, 6000) == blob.read(5, 2) == b""
    assert plain.read("file") == DATA
    assert plain.stat("nothing") is None
    assert blob.read(0, 4) == DATA[:4]
    assert len(Plain.connections) == 1


def test_absent_is_none_and_opening_it_not_found(plain: HttpStore) -> None:
    assert plain.read("nothing") is None
    assert plain.stat("nothing") is None
    with pytest.raises(NotFound):
        plain.open("nothing")
    assert plain.local_path("file") is None


@pytest.mark.parametrize("path", ["..", "../x", "a//b", "./x", "x\0y", "a/../b"])
def test_paths_that_climb_are_refused(plain: HttpStore, path: str) -> None:
    for look in (plain.stat, plain.open, plain.read):
        with pytest.raises(BadRequest):
            look(path)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, BadRequest), (403, Forbidden), (422, Unsupported), (503, Overloaded), (500, Unreadable), (502, Unreadable)],
)
def test_trouble_is_told_and_never_absent(plain: HttpStore, status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="moon"):
        plain.read(str(status))
    with pytest.raises(error, match=str(status)):
        plain.stat(str(status))


def test_a_busy_server_is_asked_again(plain: HttpStore) -> None:
    Plain.busy = 3
    assert plain.read("busy") == DATA


@pytest.mark.parametrize(
    ("name", "reason"),
    [("rangeless", "range"), ("elsewhere", "range"), ("changing", "changed"), ("cut", "cut off")],
)
def test_bytes_that_are_not_those_asked_for_are_refused(plain: HttpStore, name: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        plain.open(name).read(10, 100)


def test_a_name_is_quoted(plain: HttpStore) -> None:
    (Plain.folder / "%C3%A4%20b%3F%23%25").write_bytes(b"quoted")
    assert plain.read("ä b?#%") == b"quoted"


def test_more_than_may_come_is_not_read(plain: HttpStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diascope.stores.http.LARGEST", 100)
    with pytest.raises(Unreadable, match="more than 100 bytes"):
        plain.read("file")


def test_a_plain_server_lists_nothing(plain: HttpStore) -> None:
    (Plain.folder / "page").write_bytes(b"<html>")
    with pytest.raises(NotFound):
        list(plain.names("nothing"))
    with pytest.raises(Unsupported, match="not listed"):
        list(plain.names("page"))


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_on_a_plain_server_opens(plain: HttpStore, version: int) -> None:
    pixels = np.arange(60 * 70, dtype=np.uint16).reshape(60, 70)
    array = zarr.create_array(
        Plain.folder / "a.zarr", shape=pixels.shape, chunks=(32, 32), dtype="uint16", zarr_format=version
    )
    array[...] = pixels
    assert np.array_equal(diascope.open(f"{plain.base}a.zarr")[...], pixels)
    with pytest.raises(NotFound, match="no image"):
        diascope.open(f"{plain.base}b.zarr")


def test_a_diascope_server_is_a_store_of_files_and_folders(tmp_path: Path, server: Callable[[Path], str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.json").write_bytes(DATA)
    (tmp_path / ".hidden").write_bytes(b"")
    store = HttpStore(f"{server(tmp_path)}/data/{tmp_path.name}/")
    folder, file = store.stat("folder"), store.stat("folder/notes.json")
    assert folder is not None
    assert folder.is_folder
    assert file is not None
    assert (file.is_folder, file.size) == (False, len(DATA))
    assert file.version
    assert list(store.names("")) == [("folder", True)]
    assert store.open("folder/notes.json").read(3, 9) == DATA[3:9]
    with pytest.raises(NotFound):
        list(store.names("nothing"))
