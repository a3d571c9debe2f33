"""Requests that are answered at once are answered byte for byte as they are by the ordinary way."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from time import sleep
from urllib.parse import urlsplit

import pytest
from starlette.types import Scope

from diascope.access.at_once import TOGETHER, Ready
from diascope.access.data import Data
from diascope.access.http import Server
from diascope.access.observability.answers import BOUNDS, Answered
from diascope.access.pages import pages
from diascope.access.request import Headers
from diascope.access.s3 import S3
from diascope.access.webdav import WebDav
from diascope.haste import pause
from diascope.tree.file import Entry, File, in_memory
from tests.servers import LiveServer

LONG, VAST = 300 << 10, 5 << 20
SIZES = {"short": 300, "empty": 0, "a b%é": 20, "long": LONG, "vast": VAST}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files that are there, and ``made``, which takes a thread; one of them has no bytes but trouble."""

    def file(self, path: str) -> File | None:
        if path in SIZES:
            data = bytes(range(256)) * (SIZES[path] // 256 + 1)
            file = in_memory(data[: SIZES[path]], "image/jpeg")
            return File(media_type=file.media_type, size=file.size, read=file.read, etag="tag", cheap=True)
        if path == "made":
            return File(media_type="text/plain", size=None, read=_made)
        if path == "split":
            return File(media_type="text/plain\r\nx-injected: 1", size=1, read=lambda *_: b"x", cheap=True)
        return None

    def entries(self, path: str) -> Iterator[Entry] | None:
        return None if path else iter([Entry(name, is_folder=False) for name in (*SIZES, "made")])


def _made(start: int, stop: int | None) -> bytes:
    pause()
    sleep(0.02)
    return b"it was made"[start:stop]


def server() -> Server:
    shelf = Shelf()
    data = Data(shelf, lambda path: path, shelf.file)
    handlers = {"/data/": data.answer, "/s3/": S3(shelf).answer}
    return Server(handlers=handlers, rest={"/": pages()}, webdav=WebDav(shelf).answer)


class Counted(Server):
    """A server that counts what it has at once."""

    count = 0

    def ready(self, scope: Scope, headers: Headers) -> Ready | None:
        found = super().ready(scope, headers)
        Counted.count += found is not None
        return found


@pytest.fixture(scope="module")
def served() -> Iterator[list[tuple[LiveServer, Server]]]:
    """By the short way, and by the ordinary one."""
    with ExitStack() as stack:
        found = []
        for is_quick in (True, False):
            app = server()
            if is_quick:
                app = Counted(handlers=app.handlers, rest=app.rest, webdav=app.webdav)
            live = LiveServer(app, is_quick=is_quick)
            stack.callback(live.stop)
            found.append((live, app))
        yield found


def asked(path: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "host: x", "x-request-id: me", *headers, "", ""]).encode()


UNSAYABLE = "what no header can say"
SHORT = asked("/data/short")

QUICK = {
    "file": SHORT,
    "head": asked("/data/short", method="HEAD"),
    "empty": asked("/data/empty"),
    "query": asked("/data/short?a=%20b&c#d"),
    "range": asked("/data/short", "range: bytes=5-9"),
    "ranges": asked("/data/short", "range: bytes=0-1,4-5,-3"),
    "range that is not there": asked("/data/short", "range: bytes=900-"),
    "has it": asked("/data/short", 'if-none-match: "tag"'),
    "has it by head": asked("/data/short", 'if-none-match: "tag"', method="HEAD"),
    "has another": asked("/data/short", 'if-match: "other"'),
    "encoded": asked("/data/a%20b%25%C3%A9"),
    "keeps alive": asked("/data/short", "connection: keep-alive"),
    "upper case": asked("/data/short", "RANGE: bytes=1-2"),
    "header twice": asked("/data/short", 'if-none-match: "a"', 'if-none-match: "tag"'),
    "long": asked("/data/long"),
    "long by head": asked("/data/long", method="HEAD"),
    "webdav": asked("/dav/short"),
    "odd id": asked("/data/short").replace(b"x-request-id: me", b"x-request-id: <m e>"),
    "together": SHORT * 3,
    "many together": SHORT * (2 * TOGETHER),
}
ORDINARY = {
    "version 1.0": asked("/data/short", version="1.0"),
    "version 1.0 kept alive": asked("/data/short", "connection: keep-alive", version="1.0"),
    "close": asked("/data/short", "connection: close"),
    "close, then another": asked("/data/short", "connection: close") + SHORT,
    "close by head": asked("/data/short", "connection: close", method="HEAD"),
    "body": asked("/data/short", "content-length: 5") + b"GET /",
    "chunked body": asked("/data/short", "transfer-encoding: chunked") + b"3\r\nGET\r\n0\r\n\r\n",
    "both lengths": asked("/data/short", "transfer-encoding: chunked", "content-length: 3") + b"0\r\n\r\n",
    "expects": asked("/data/short", "expect: 100-continue", "content-length: 2") + b"ab",
    "other protocol": asked("/data/short", "connection: upgrade", "upgrade: h2c"),
    "websocket": asked("/data/short", "connection: upgrade", "upgrade: websocket"),
    "proxied": asked("/data/short", "x-forwarded-for: 10.1.2.3", "x-forwarded-proto: https"),
    "absolute": asked("http://other/data/short"),
    "asterisk": asked("*"),
    "no slash": asked("data/short"),
    "two slashes": asked("//data/short"),
    "not there": asked("/data/none"),
    "not UTF-8": asked("/data/%ff%fe"),
    "raw bytes": asked("/data/short").replace(b"short", b"\xff\xfe"),
    "folder": asked("/data/"),
    "vast": asked("/data/vast", "range: bytes=0-4500000"),
    "made": asked("/data/made"),
    "made amid": SHORT + asked("/data/made") + SHORT * 2,
    "other door": asked("/"),
    "post": asked("/data/short", "content-length: 3", method="POST") + b"abc",
    "options": asked("/data/short", "access-control-request-method: GET", method="OPTIONS"),
    "nonsense": b"nonsense\r\n\r\n",
    UNSAYABLE: asked("/data/split"),
    "s3": asked("/s3/"),
}


@pytest.mark.parametrize("name", [*QUICK, *ORDINARY])
def test_the_answer_is_the_same_by_either_way(name: str, served: list[tuple[LiveServer, Server]]) -> None:
    """Whatever is said before it and behind it on the same connection."""
    raw = (QUICK | ORDINARY)[name]
    before = Counted.count
    quick, ordinary = (said(live, [raw, SHORT, raw + SHORT]) for live, _ in served)
    assert quick == ordinary
    assert quick or name == UNSAYABLE
    assert b"x-injected" not in quick
    assert name not in QUICK or Counted.count >= before + 4


def test_a_head_in_pieces_is_answered_once_it_is_whole(served: list[tuple[LiveServer, Server]]) -> None:
    pieces = [SHORT[:7], SHORT[7:30], SHORT[30:-1], SHORT[-1:] + SHORT[:9], SHORT[9:]]
    quick, ordinary = (said(live, pieces) for live, _ in served)
    assert quick == ordinary
    assert quick.count(b"200 OK") == 3


def test_what_is_answered_at_once_is_counted_as_all_else(served: list[tuple[LiveServer, Server]]) -> None:
    for live, _ in served:
        said(live, [SHORT, asked("/data/none")])
    quick, ordinary = (counts(app) for _, app in served)
    assert quick == ordinary
    assert sum(quick.values()) > 0


def test_who_takes_nothing_of_many_answers_is_not_given_more_of_them(served: list[tuple[LiveServer, Server]]) -> None:
    live, app = served[0]
    with connected(live) as client:
        client.settimeout(1)
        with suppress(TimeoutError):
            client.sendall(asked("/data/long") * 200)
        sleep(0.2)
        assert app.connections.unsent + sum(each.transport.get_write_buffer_size() for each in app.connections.open) < (
            8 * LONG
        )


def test_a_server_that_stops_closes_connections_that_rest() -> None:
    live = LiveServer(server())
    with connected(live) as client:
        client.sendall(SHORT)
        assert b"200 OK" in client.recv(10000)
        live.stop()
        while client.recv(10000):
            pass


def counts(app: Server) -> dict[Answered, float]:
    """How many were answered."""
    return {key: sum(series[: len(BOUNDS) + 1]) for key, series in app.observer.answers.series.items()}


def connected(live: LiveServer) -> socket.socket:
    parts = urlsplit(live.url)
    client = socket.create_connection((parts.hostname, parts.port))
    client.settimeout(20)
    return client


def said(live: LiveServer, pieces: list[bytes]) -> bytes:
    """All that a server says to these pieces, one after the other, and then to a last request."""
    heard = bytearray()
    with connected(live) as client:
        with suppress(ConnectionError):
            for piece in pieces:
                client.sendall(piece)
                sleep(0.04)
            client.sendall(asked("/data/short", "connection: close"))
        with suppress(ConnectionError):
            while data := client.recv(1 << 20):
                heard += data
    text = bytes(heard).replace(str(urlsplit(live.url).port).encode(), b"PORT")
    text = re.sub(rb"date: [^\r]*", b"date: then", text)
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f]+\r", b"ID\r", text)
