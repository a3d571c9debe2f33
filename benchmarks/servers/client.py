"""Clients in a process of their own, each with one request under way on a connection that is kept.

``python client.py PORT``: orders come as lines of JSON on stdin, ``{"paths", "connections", "seconds"}``, and each is
answered by a line on stdout. Every answer has to have the status 200; the sums of all bodies are told.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any
from zlib import crc32

LARGEST = 4 << 20
PATIENCE = 60


@dataclass
class Round:
    """Requests of one order, and what came of them."""

    paths: Iterator[tuple[int, str]]
    end: float
    latencies: list[float] = field(default_factory=list)
    sums: dict[int, tuple[int, int]] = field(default_factory=dict)
    """The sum and the length of the body of each path, by its number."""

    def following(self) -> tuple[int, str] | None:
        return next(self.paths, None) if perf_counter() < self.end else None


class Connection:
    """One request after another."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = memoryview(bytearray(LARGEST))
        self.host = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        self.number, self.begun, self.filled, self.body, self.needed = 0, 0.0, 0, 0, 0

    def ask(self, found: Round) -> bool:
        """Send the next request, unless there is none."""
        following = found.following()
        if following is None:
            return False
        self.number, path = following
        self.filled = self.body = self.needed = 0
        self.begun = perf_counter()
        self.socket.sendall(f"GET {path}{self.host}".encode("ascii"))
        return True

    def receive(self, found: Round) -> bool:
        """Take what has come; whether the answer is whole."""
        got = self.socket.recv_into(self.buffer[self.filled :])
        if got == 0:
            raise SystemExit("the server has closed a connection")
        self.filled += got
        if not self.body:
            self._head()
        if not self.body or not self._is_whole():
            return False
        found.latencies.append(perf_counter() - self.begun)
        body = self._bytes()
        found.sums[self.number] = (crc32(body), len(body))
        return True

    def _head(self) -> None:
        start = bytes(self.buffer[: min(self.filled, 8192)])
        head, parted, _ = start.partition(b"\r\n\r\n")
        if not parted:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"answered with {start[:600]!r}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        self.body = len(head) + 4
        self.needed = self.body + int(length) if length else 0

    def _is_whole(self) -> bool:
        """Without a length the body is in chunks, of which the last one is empty."""
        if self.needed:
            return self.filled >= self.needed
        return bytes(self.buffer[self.filled - 5 : self.filled]) == b"0\r\n\r\n"

    def _bytes(self) -> memoryview | bytes:
        data = self.buffer[self.body : self.filled]
        if self.needed:
            return data
        whole, rest = b"", bytes(data)
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            whole, rest = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return whole


def fulfilled(port: int, order: dict[str, Any]) -> dict[str, Any]:
    """The requests of an order, as many as there is time for."""
    connections = {each.socket.fileno(): each for each in (Connection(port) for _ in range(order["connections"]))}
    poll = select.epoll()
    start, processor = perf_counter(), process_time()
    found = Round(iter(enumerate(order["paths"])), start + order["seconds"])
    waiting = 0
    for number, each in connections.items():
        poll.register(number, select.EPOLLIN)
        waiting += each.ask(found)
    while waiting:
        ready = poll.poll(PATIENCE)
        if not ready:
            raise SystemExit(f"no answer within {PATIENCE} s")
        for number, _ in ready:
            each = connections[number]
            if each.receive(found):
                waiting -= not each.ask(found)
    seconds = perf_counter() - start
    for each in connections.values():
        each.socket.close()
    ordered = sorted(found.latencies)
    return {
        "requests": len(ordered),
        "seconds": seconds,
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)],
        "client_seconds": process_time() - processor,
        "sums": found.sums,
    }


def main() -> None:
    port = int(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(fulfilled(port, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
