"""A server and a folder tell the browser the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from diascope.errors import BadRequest, DiascopeError, NotFound, Unreadable
from diascope.napari.choice import choice
from diascope.napari.facts import facts
from diascope.napari.folder import folder as folder_at
from diascope.napari.place import Entry, Place, image_path, scenes
from diascope.napari.server import PAGE, Server, path_on_server, server_of

CELLS = "images/microscopy/cells.ome.tif"


@pytest.fixture(params=["server", "folder"])
def place(request: pytest.FixtureRequest, folder: Path, server: Callable[[Path], str]) -> Place:
    return server_of(server(folder)) if request.param == "server" else folder_at(str(folder))


def test_repositories_and_folders_are_listed(place: Place) -> None:
    assert place.listed("").entries == (Entry("images", "images", "folder"),)
    page = place.listed("images/microscopy")
    assert page.after is None
    assert page.entries == (
        Entry("cells-labels.ome.zarr", "images/microscopy/cells-labels.ome.zarr", "image"),
        Entry("cells.ome.tif", CELLS, "image"),
        Entry("dividing.tif", "images/microscopy/dividing.tif", "image"),
    )
    assert Entry("notes.txt", "images/notes.txt", "file") in place.listed("images").entries
    with pytest.raises(NotFound):
        place.listed("images/nothing")


def test_a_large_folder_is_listed_by_pages(tmp_path: Path, server: Callable[[Path], str]) -> None:
    for k in range(2 * PAGE + 1):
        (tmp_path / f"{k:04}.tif").touch()
    for place in (server_of(server(tmp_path)), folder_at(str(tmp_path))):
        names: list[str] = []
        after: str | None = ""
        pages = 0
        while after is not None:
            page = place.listed(tmp_path.name, after)
            names, after, pages = [*names, *(each.name for each in page.entries)], page.after, pages + 1
            assert len(page.entries) <= PAGE
        assert names == [f"{k:04}.tif" for k in range(2 * PAGE + 1)]
        assert pages == 3


def test_names_are_found(place: Place) -> None:
    found = place.found("CELLS")
    assert [each.name for each in found.entries] == ["cells-labels.ome.zarr", "cells.ome.tif"]
    assert found.complete
    assert not place.found("nothing of this name").entries


def test_an_image_is_described_and_shown(place: Place) -> None:
    told = facts(place.described(CELLS))
    for part in ("<b>cells</b>", "uint16", "OME-TIFF", "640", "×&nbsp;0.25&nbsp;µm", "DAPI, Actin, Transcripts"):
        assert part in told
    assert "12 images" in facts(place.described("images/many.ome.tif"))
    assert [each.path for each in scenes(place.described("images/two.ome.tif"))] == [
        "images/two.ome.tif/scene 0",
        "images/two.ome.tif/scene 1",
    ]
    picture = cv2.imdecode(np.frombuffer(place.picture(CELLS, 100), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (100, 100, 3)
    with pytest.raises(Unreadable, match=r"broken\.tif"):
        place.described("images/broken.tif")


def test_views_are_offered_and_checked(place: Place) -> None:
    assert place.views(CELLS)[:2] == ["original", "render"]
    assert place.checked(CELLS, "project,method=max,axis=z") == "project"
    several = "images/two.ome.tif"
    assert image_path(place, CELLS) == CELLS
    assert place.checked(image_path(place, several), "crop,x=0..7") == "crop,x=0..7"
    with pytest.raises(NotFound):
        place.checked(several, "render")
    for wrong, said in (("project,axis=q", "axis"), ("nonsense", "no operation")):
        with pytest.raises(BadRequest, match=said):
            place.checked(CELLS, wrong)


def test_what_is_chosen_becomes_layers_under_its_view(place: Place) -> None:
    assert [len(layer[0][0].shape) for layer in choice(place, CELLS, "original").layers] == [3, 3, 3]
    assert [len(layer[0][0].shape) for layer in choice(place, CELLS, "project,method=max").layers] == [2, 2, 2]
    several = "images/two.ome.tif"
    assert [layer[0].shape for layer in choice(place, several, "original").layers] == [(20, 30), (20, 31)]
    assert [layer[0].shape for layer in choice(place, several, "crop,x=0..7").layers] == [(20, 7)]
    with pytest.raises(BadRequest, match="no operation"):
        choice(place, CELLS, "nonsense")


def test_saved_views_of_a_server_are_offered(folder: Path) -> None:
    from diascope.assembly import application
    from diascope.settings import RepositorySettings, Settings
    from tests.servers import LiveServer

    repository = RepositorySettings(path=folder, views={"flat": "project,axis=z"})
    live = LiveServer(application(Settings(repositories={"images": repository})))
    try:
        place = server_of(live.url)
        assert place.views(CELLS) == ["original", "render", "@flat"]
        assert place.checked(CELLS, "@flat") == "project"
    finally:
        live.stop()


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("localhost:8400", "http://localhost:8400"),
        (" http://host/ ", "http://host"),
        ("https://host:1/images/", "https://host:1/images"),
        ("http://host/prefix/data/sample/cells.tif/render", "http://host/prefix"),
        ("http://host/image/sample/cells.tif?x=1", "http://host"),
        ("http://host/browse/sample", "http://host"),
        ("http://[::1]:8400/", "http://[::1]:8400"),
    ],
)
def test_a_server_is_found_in_what_people_type(text: str, base: str) -> None:
    assert server_of(text) == Server(base)


@pytest.mark.parametrize("text", ["", "ftp://host", "http://", "http:///data/x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="no address of a server"):
        server_of(text)


def test_addresses_are_quoted_and_their_paths_found_again() -> None:
    address = Server("http://[::1]:8400").address("images/a b#?%.tif", "crop,x=1..5")
    assert address == "http://[::1]:8400/data/images/a%20b%23%3F%25.tif/crop,x=1..5"
    assert path_on_server(address) == "images/a b#?%.tif/crop,x=1..5"
    assert path_on_server("http://host/data/") is None


@pytest.fixture
def strange() -> Iterator[Callable[[bytes], str]]:
    """``strange(body)`` is the URL of a server that answers everything so."""
    servers: list[HTTPServer] = []

    def started(body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield started
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"repositories": 3, "entries": [3], "results": [null], "scenes": [{}]}', b"[" * 99_999],
)
def test_what_is_no_diascope_server_is_told_so(strange: Callable[[bytes], str], body: bytes) -> None:
    place = server_of(strange(body))
    for asked in (
        lambda: place.listed(""),
        lambda: place.listed("images"),
        lambda: place.found("x"),
        lambda: facts(place.described("x")),
        lambda: scenes(place.described("x")),
    ):
        with pytest.raises(DiascopeError):
            asked()
    with pytest.raises(Unreadable, match="no Diascope server answers at"):
        place.reached()


def test_a_server_that_is_not_there_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreadable, match=f"^no Diascope server answers at http://127.0.0.1:{port}$"):
        server_of(f"127.0.0.1:{port}").reached()


def test_texts_of_a_server_are_no_markup() -> None:
    axis = {"name": "x", "size": 3, "spacing": 1.0, "unit": "<i>"}
    told = {
        "name": "<b onclick=x>", "kind": "<i>", "dtype": "<i>", "levels": [], "format": "<script>",
        "axes": [axis], "channels": [{"name": "<img src=x>"}] * 20,
    }  # fmt: skip
    shown = facts(told)
    assert "<i" not in shown
    assert "<img" not in shown
    assert "<script" not in shown
    assert "&lt;b onclick=x&gt;" in shown
    assert shown.count("&lt;img") == 12


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="no folder"):
        folder_at("/nowhere/at/all")
