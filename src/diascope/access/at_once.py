"""Requests that are answered at once: by what is in memory, in the thread of the event loop and without a task of it.

It is the same answer that the application gives, sent by the shortest way. Whatever is not quite usual about a request
or its connection goes the ordinary way from the beginning.
"""

from __future__ import annotations

from asyncio import Event
from collections.abc import Callable
from logging import INFO
from typing import Any, NamedTuple
from urllib.parse import unquote

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from diascope.access.connections import Connection, Connections
from diascope.access.request import Headers

TOGETHER = 16
"""Requests that came together and are answered so, before other connections have their turn."""

JOINED = 256 << 10
"""Bytes of a body that are copied behind its head, which costs less than to send it by itself."""

SAFE = frozenset((b"GET", b"HEAD"))
"""The methods of requests that may be made any number of times."""

UNUSUAL = frozenset((b"content-length", b"transfer-encoding", b"expect", b"x-forwarded-for", b"x-forwarded-proto"))
"""Headers of requests that have a body, wait before they send it, or come by way of a proxy."""


class Ready(NamedTuple):
    """An answer that is there."""

    status: int
    lines: bytes
    """Its headers and the empty line behind them."""
    body: bytes


class Common:
    """The headers of all answers that the server makes anew each second, such as the date."""

    __slots__ = ("_headers", "_lines")

    def __init__(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._lines = b""

    def of(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """As lines."""
        if headers is not self._headers:
            self._headers, self._lines = headers, b"".join([b"%s: %s\r\n" % each for each in headers])
        return self._lines


class _Over(RequestResponseCycle):
    """The request that was answered last, of which nothing more is to be done."""

    def __init__(self) -> None:
        self.response_complete = True
        self.disconnected = False
        self.keep_alive = True
        self.message_event = Event()


OVER = _Over()


class Quick(Connection):
    """A connection whose requests are answered at once where that can be."""

    ready: Callable[[Scope, Headers], Ready | None]
    """What the server has for a request, which it notes as answered then."""
    common: Common

    def connection_made(self, transport: Any) -> None:
        self.answered = 0
        """How many requests of those that came together."""
        is_logged = self.access_log and self.access_logger.isEnabledFor(INFO)
        self.is_quick = not (is_logged or self.root_path or self.limit_concurrency is not None)
        """Whether the server was told nothing that only its own way knows of."""
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.answered = 0
        super().data_received(data)

    def on_headers_complete(self) -> None:
        ready = self._ready() if self._is_usual() else None
        if ready is None:
            super().on_headers_complete()
            return
        self.head_since = None
        self.answered += 1
        self.cycle = OVER
        self._write(ready)
        self.on_response_complete()

    def _is_usual(self) -> bool:
        """Whether nothing is told of the connection, and nothing else is under way on it."""
        parser, cycle = self.parser, self.cycle
        return (
            (cycle is OVER or cycle is None or cycle.response_complete)
            and self.is_quick
            and self.answered < TOGETHER
            and self.url.startswith(b"/")
            and parser.get_method() in SAFE
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _ready(self) -> Ready | None:
        headers = Headers(self.headers)
        if not headers.are_without(UNUSUAL):
            return None
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope: Scope = self.scope  # type: ignore[assignment]  # it becomes that of an application where it has to
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["query_string"] = url.query or b""
        return self.ready(scope, headers)

    def _write(self, ready: Ready) -> None:
        status, lines, body = ready
        head = STATUS_LINE[status] + self.common.of(self.server_state.default_headers) + lines
        if len(body) <= JOINED:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)


def connection_class(
    connections: Connections, ready: Callable[[Scope, Headers], Ready | None] | None = None
) -> type[Any]:
    """The class of connections that are counted among these."""
    if ready is None:
        return type("Connection", (Connection,), {"keeper": connections})
    return type("Quick", (Quick,), {"keeper": connections, "ready": staticmethod(ready), "common": Common()})
