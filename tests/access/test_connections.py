"""Clients that connect and say nothing, that never end what they say, and that do not take what they asked for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from time import monotonic, sleep
from urllib.parse import urlsplit

import httpx
import pytest

from diascope.access.admission import Limits
from diascope.access.connections import Connections
from diascope.access.data import Data
from diascope.access.http import Server
from diascope.tree.file import Entry, File
from diascope.work import claim
from tests.servers import LiveServer

LONG = 1 << 30


@dataclass(frozen=True, slots=True)
class Endless:
    """A file of a gigabyte that is made by blocks, and one that is held as a whole while it is sent."""

    def file(self, path: str) -> File | None:
        if path == "long":
            return File(media_type="text/plain", size=LONG, read=lambda start, stop: bytes((stop or LONG) - start))
        if path == "held":
            return File(media_type="text/plain", size=None, read=self._held)
        return File(media_type="text/plain", size=5, read=lambda start, stop: b"small"[start:stop])

    def entries(self, path: str) -> Iterator[Entry] | None:
        return None

    @staticmethod
    def _held(start: int, stop: int | None) -> bytes:
        claim(48 << 20)
        return bytes(48 << 20)[start:stop]


@pytest.fixture
def serving() -> Iterator[Callable[..., tuple[LiveServer, Connections]]]:
    with ExitStack() as stack:

        def start(**limits: float) -> tuple[LiveServer, Connections]:
            connections = Connections(**limits)  # type: ignore[arg-type]
            handlers = {"/data/": Data(Endless(), lambda path: path).answer}
            lanes = Limits(threads=2, small=1 << 20, memory=64 << 20)
            server = LiveServer(Server(handlers=handlers, rest={}, limits=lanes, connections=connections))
            stack.callback(server.stop)
            return server, connections

        yield start


def connected(server: LiveServer, said: bytes = b"", room: int = 4096) -> socket.socket:
    """A connection that takes no more than so many bytes ahead of who reads."""
    parts = urlsplit(server.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.connect((parts.hostname, parts.port))
    client.settimeout(20)
    client.sendall(said)
    return client


def asked(path: str) -> bytes:
    return f"GET /data/{path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()


def waited(until: Callable[[], bool], seconds: float = 15) -> None:
    end = monotonic() + seconds
    while not until():
        assert monotonic() < end, "it did not come about"
        sleep(0.02)


Serving = Callable[..., tuple[LiveServer, Connections]]


def test_slow_readers_hold_neither_threads_nor_more_memory_than_they_may(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diascope.access.connections.GRACE", 1.0)
    server, connections = serving(memory=4 << 20)
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(server, asked("long"))) for _ in range(12)]
        seen = []
        for _ in range(40):
            for each in slow:  # a kilobyte a look, from whom is still there
                try:
                    each.recv(1024)
                except OSError:
                    continue
            begun = monotonic()
            assert httpx.get(f"{server.url}/data/small", timeout=10).text == "small"
            assert monotonic() - begun < 5
            seen.append(connections.unsent)
            sleep(0.05)
        waited(lambda: connections.unsent <= 4 << 20)
        assert connections.cut["slow"] >= 1
        assert max(seen) < 80 << 20
    waited(lambda: not connections.open or all(each.is_resting for each in connections.open))


def test_who_takes_nothing_is_cut_and_who_takes_all_is_not(serving: Serving) -> None:
    server, connections = serving(seconds=1.0)
    with connected(server, asked("long")) as stalled:
        with httpx.stream("GET", f"{server.url}/data/long", timeout=30) as answer:
            assert sum(map(len, answer.iter_raw(1 << 20))) == LONG
        waited(lambda: connections.cut["stalled"] == 1)
        taken = 0
        with suppress(ConnectionError):
            while piece := stalled.recv(1 << 20):
                taken += len(piece)
        assert taken < LONG  # and the connection has ended
    assert connections.cut["slow"] == 0


def test_memory_that_an_answer_takes_is_held_until_it_is_sent_and_the_slow_make_room(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diascope.access.connections.GRACE", 1.0)
    server, connections = serving()
    with connected(server, asked("held")) as slow:
        assert b"200 OK" in slow.recv(100)
        # Both do not fit: this one waits until the other is cut, which takes next to nothing.
        begun = monotonic()
        assert len(httpx.get(f"{server.url}/data/held", timeout=30).content) == 48 << 20
        assert monotonic() - begun > 0.5
        assert connections.cut["slow"] == 1


def test_a_head_that_never_ends_is_cut(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diascope.access.connections.HEAD_SECONDS", 1.0)
    server, connections = serving()
    with connected(server, b"GET /data/small HTTP/1.1\r\nx: ") as dripping, connected(server) as silent:
        end = monotonic() + 0.5
        while monotonic() < end:
            dripping.sendall(b"y")
            sleep(0.05)
        assert dripping.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert silent.recv(1000) == b""
    assert connections.cut["head"] == 2


def test_a_head_without_bound_is_cut(serving: Serving) -> None:
    server, connections = serving()
    with connected(server, b"GET /data/small HTTP/1.1\r\n") as client:
        answer = b""
        try:
            for number in range(100_000):
                client.sendall(f"x{number}: {'y' * 1000}\r\n".encode())
        except OSError:
            pass
        try:
            answer = client.recv(1000)
        except OSError:  # it may be gone before it is read
            answer = b"HTTP/1.1 431 "
        assert answer.startswith(b"HTTP/1.1 431 ")
    assert connections.cut["head"] == 1


def test_there_are_no_more_connections_than_may_be_and_those_that_rest_make_room(serving: Serving) -> None:
    server, connections = serving(most=3)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connected(server, asked("long")))
        waited(lambda: len(connections.open) == 3)
        refused = stack.enter_context(connected(server, asked("small"))).recv(1000)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after" in refused
    waited(lambda: not connections.open)
    with ExitStack() as stack:
        for _ in range(5):
            resting = stack.enter_context(connected(server, asked("small")))
            assert b"200 OK" in resting.recv(1000)
        waited(lambda: len(connections.open) <= 3)
    assert connections.cut["resting"] == 2
