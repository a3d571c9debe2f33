"""Folders as web servers list them: those that others wrote, and pages that are no listing."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diascope.errors import NotFound, Unsupported
from diascope.stores.http import HttpStore
from diascope.stores.web_listing import listing
from tests.judges import object_stores as servers
from tests.judges.required import required

NAMES = ["a b.tif", "ä#?%.tif", "plain.txt", "x" * 120 + ".tif", "a&b;'\"<>.tif"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab" / "sub").mkdir(parents=True)
    for name in NAMES:
        (tmp_path / "lab" / name).write_bytes(name.encode())
    return tmp_path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def python(folder: Path) -> str:
    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def served(name: str, folder: Path) -> str:
    if name == "python":
        return python(folder)
    required(servers.lacking(name.partition("-")[0]))
    started: Callable[[Path], str] = servers.rclone if name == "rclone" else servers.nginx
    return started(folder) + "/json" * name.endswith("json")


@pytest.mark.judge
@pytest.mark.parametrize("name", ["nginx", "nginx-json", "rclone", "python"])
def test_a_folder_is_listed_as_the_server_shows_it(name: str, folder: Path) -> None:
    store = HttpStore(f"{served(name, folder)}/")
    assert ("lab", True) in set(store.names(""))
    assert sorted(store.names("lab")) == sorted([*((each, False) for each in NAMES), ("sub", True)])
    assert list(store.names("lab/sub")) == []
    for each in NAMES:
        assert store.read(f"lab/{each}") == each.encode()
        stat = store.stat(f"lab/{each}")
        assert stat
        assert (stat.is_folder, stat.size) == (False, len(each.encode()))
    below = store.stat("lab/sub")
    assert below
    assert below.is_folder
    assert store.stat("lab/nothing") is None
    with pytest.raises(NotFound):
        list(store.names("lab/nothing"))


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html><a href='x'>x</a>",
        b"null",
        b"3",
        b"[3]",
        b'[{"name": "x"}]',
        b'{"entries": 3}',
        b'{"entries": [{"name": 3, "type": "x"}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_listing_is_refused(page: bytes) -> None:
    with pytest.raises(Unsupported, match="not listed"):
        listing(page, "http://a/b/")


def test_links_that_lead_elsewhere_are_no_names() -> None:
    hrefs = [
        "../",
        "/",
        "/b/own",
        "/c/other",
        "http://evil/b/x",
        "?C=N",
        "#top",
        "a/b",
        "a%2Fb",
        "..",
        ".",
        "",
        "%2e%2e",
    ]
    hrefs += ["javascript:alert(1)", "//evil/b/y", "http://[x", "fine", "folder/"]
    page = "<title>Index of /b</title>" + "".join(f'<a href="{href}">x</a>' for href in hrefs)
    assert listing(page.encode(), "http://a/b/").names == [("own", False), ("fine", False), ("folder", True)]


def test_json_names_nothing_elsewhere() -> None:
    page = b'[{"name": "..", "type": "directory"}, {"name": "a/b", "type": "file"}, {"name": "c", "type": "file"}]'
    assert listing(page, "http://a/b/").names == [("c", False)]


@given(st.text(), st.text())
def test_any_page_gives_names_or_is_refused(text: str, href: str) -> None:
    for page in (text, f'<title>Index of /</title><a href="{href}">{text}'):
        try:
            names = listing(page.encode("utf-8", "replace"), "http://a/b/").names
        except Unsupported:
            continue
        assert not any("/" in name or name in {"", ".", ".."} for name, _ in names)
