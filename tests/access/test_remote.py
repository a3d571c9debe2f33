"""The tree of a server: the same as on its machine, whatever happens on the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image as Pillow

from diascope.access.remote import PAUSES, Remote
from diascope.commands.tree_at import tree_at
from diascope.errors import BadRequest, NotFound, Overloaded, Unreadable
from diascope.tree.file import Entry, File, Tree
from diascope.tree.walk import listed_files

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Scripted:
    """A server that answers as told, one answer after another and then the last again."""

    replies: list[Reply] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def next(self, request: str) -> Reply:
        self.asked.append(request)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        script_: ClassVar[Scripted] = script

        def do_GET(self) -> None:
            status, headers, body = self.script_.next(f"{self.command} {self.path}")
            self.send_response(status)
            for name, value in ({"content-length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)
            if headers.get("connection") == "close":
                self.close_connection = True

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}/data/"
    yield script
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "remote"
    folder.mkdir()
    colours = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    for name in ("a #1.png", "50%.png"):
        Pillow.fromarray(colours).save(folder / name)
    return folder


def test_it_is_the_tree_of_the_other_machine(folder: Path, server: Callable[[Path], str]) -> None:
    local, below = tree_at(str(folder))
    remote, path = tree_at(f"{server(folder)}/data/{folder.name}")
    there = list(listed_files(remote, path))
    assert [each.removeprefix(path) for each in there] == [
        each.removeprefix(below) for each in listed_files(local, below)
    ]
    assert len(there) > 20
    for each in there:
        file, own = remote.file(each), local.file(below + each.removeprefix(path))
        assert file
        assert own
        assert remote.entries(each) is None
        assert file.media_type == own.media_type
        if not each.endswith("info.json"):  # it says by which URL it was asked for
            assert file.read(0, None) == own.read(0, None)
            assert file.read(3, 9) == own.read(3, 9)
            assert file.read(5, 5) == b""
            assert file.size == len(own.read(0, None))


def test_the_root_of_a_server_is_its_repositories(folder: Path, server: Callable[[Path], str]) -> None:
    for ending in ("", "/", "/data", "/data/"):
        tree, path = tree_at(server(folder) + ending)
        assert path == ""
        assert list(tree.entries("") or ()) == [Entry(folder.name, is_folder=True)]
    with pytest.raises(BadRequest, match="below /data/"):
        tree_at(f"{server(folder)}/browse/x")


def test_a_folder_that_redirects_is_a_folder(folder: Path, server: Callable[[Path], str]) -> None:
    """The identifier of a IIIF image answers with info.json, and is the folder of it all the same."""
    tree, path = tree_at(f"{server(folder)}/data/{folder.name}/a #1.png/original/a #1.iiif".replace("#", "%23"))
    assert tree.file(path) is None
    assert Entry("info.json", is_folder=False) in list(tree.entries(path) or ())


def test_an_uncanonical_view_is_followed_and_absent_is_absent(folder: Path, server: Callable[[Path], str]) -> None:
    tree = Remote(f"{server(folder)}/data/")
    image = f"{folder.name}/50%.png"
    assert tree.file(f"{image}/crop,x=00..10/50%.nii") is not None
    assert tree.file(f"{image}/original/nothing") is None
    assert tree.entries(f"{image}/original/nothing") is None
    with pytest.raises(BadRequest, match="nonsense"):
        tree.file(f"{image}/nonsense/50%.nii")


class Changing:
    """A file that is another whenever it is asked for."""

    number = 0

    def file(self, path: str) -> File | None:
        if not path:
            return None
        self.number += 1
        data = bytes([self.number]) * 100
        return File(media_type="x/y", size=100, read=lambda start, stop: data[start:stop], etag=f"{self.number}")

    def entries(self, path: str) -> Iterator[Entry] | None:
        return iter([Entry(f"{k}", is_folder=False) for k in range(2500)]) if not path else None


def test_two_versions_are_never_mixed(tree_server: Callable[[Tree], str]) -> None:
    file = Remote(f"{tree_server(Changing())}/data/").file("x")
    assert file
    with pytest.raises(Unreadable):
        file.read(0, 10)


def test_listings_of_many_pages_are_read_as_far_as_wanted(tree_server: Callable[[Tree], str]) -> None:
    tree = Remote(f"{tree_server(Changing())}/data/")
    assert [entry.name for entry in tree.entries("") or ()] == [f"{k}" for k in range(2500)]
    assert len(list(islice(tree.entries("") or (), 3))) == 3


def test_a_server_that_is_busy_is_asked_again(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diascope.access.remote.sleep", lambda seconds: None)
    busy: Reply = (503, {}, json.dumps({"detail": "busy"}).encode())
    scripted.replies = [busy, busy, (200, {"content-type": "a/b", "etag": '"1"'}, b"12345")]
    file = Remote(scripted.url).file("x")
    assert file
    assert (file.media_type, file.size, file.etag) == ("a/b", 5, "1")
    scripted.replies = [busy]
    with pytest.raises(Overloaded, match="busy"):
        Remote(scripted.url).file("x")
    assert len(scripted.asked) == 3 + 2 * (len(PAUSES) + 1)


def test_connections_that_were_closed_are_made_anew(scripted: Scripted) -> None:
    tree = Remote(scripted.url)
    for _ in range(3):
        scripted.replies = [(200, {"connection": "close"}, b"12345")]
        assert tree.file("x") is not None
    with pytest.raises(Unreadable, match="does not answer"):
        Remote("http://127.0.0.1:9/data/").file("x")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ((206, {"content-range": "bytes 0-4/9"}, b"12345"), "was answered"),
        ((200, {}, b"12345"), "was answered"),
        ((206, {"content-range": "bytes 2-4/9", "content-length": "9", "connection": "close"}, b"123"), "answer"),
        ((302, {"location": "http://elsewhere.example/data/x"}, b""), "another server"),
        ((500, {}, b"no JSON"), "answered 500"),
    ],
)
def test_an_answer_that_is_wrong_is_trouble(scripted: Scripted, reply: Reply, told: str) -> None:
    scripted.replies = [(200, {}, b"123456789"), reply]
    file = Remote(scripted.url).file("x")
    assert file
    with pytest.raises(Unreadable, match=told):
        file.read(2, 5)


@pytest.mark.parametrize("name", ["../x", "a/b", "", "..", "\0"])
def test_a_server_does_not_choose_where_a_client_writes(scripted: Scripted, name: str) -> None:
    listing = {"entries": [{"name": name, "type": "file"}], "next": None}
    scripted.replies = [(200, {}, json.dumps(listing).encode())]
    with pytest.raises(Unreadable, match="no name"):
        list(Remote(scripted.url).entries("") or ())


@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b'{"entries": 3, "next": null}'])
def test_what_is_no_listing_is_trouble(scripted: Scripted, body: bytes) -> None:
    scripted.replies = [(200, {}, body)]
    with pytest.raises(Unreadable, match="no listing"):
        Remote(scripted.url).entries("x")


def test_what_went_away_is_not_found(scripted: Scripted) -> None:
    scripted.replies = [(200, {}, b"123456789"), (404, {}, b"")]
    file = Remote(scripted.url).file("x")
    assert file
    with pytest.raises(NotFound, match="gone"):
        file.read(2, 5)
