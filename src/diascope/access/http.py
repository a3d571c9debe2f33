"""The HTTP server: ``/data/``, ``/s3/`` and ``/dav/`` the tree, ``/api/`` the REST part, ``/`` the web application."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diascope.access.admission import Admission, Limits
from diascope.access.answer import Answer, Asked
from diascope.access.at_once import Ready
from diascope.access.connections import Connections
from diascope.access.exchange import BODY, Exchange, Handler
from diascope.access.observability.observer import Observer
from diascope.access.request import Headers

PORT = re.compile(r":\d*$")

WITH_BODY = frozenset(("OPTIONS", "PROPFIND"))
"""The methods of WebDAV that are answered and may have a body."""

LARGEST = 64 << 10
"""Bytes of the body of a request; a list of properties has a few hundred."""

PathHandler = Callable[[str, str, Asked], Answer]
"""Of the path below the prefix, the query, and the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An ASGI application that gives each request to the handler or application with its longest prefix.

    Before them come the handlers of domains, which take whole paths on the domain and the hosts below it; and that of
    WebDAV, which takes whole paths too, since its clients ask what lies above ``/dav/`` before they go there.
    """

    handlers: Mapping[str, PathHandler]
    rest: Mapping[str, ASGIApp]
    limits: Limits = field(default_factory=Limits)
    hosts: Mapping[str, PathHandler] = field(default_factory=dict)
    webdav: PathHandler | None = None
    observer: Observer = field(default_factory=Observer)
    connections: Connections = field(default_factory=Connections)
    """Those of the program that runs it, which makes them by ``at_once.connection_class``."""

    def __post_init__(self) -> None:
        admission = self.observer.admission = Admission(self.limits)
        self.observer.connections = self.connections
        self.connections.is_short = lambda: len(admission.large.waiting) > 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "/")
        if scope["type"] == "http":
            door, handler = self._handler(scope, path)
            if handler is not None:
                if door == "dav" and scope["method"] in WITH_BODY:
                    scope[BODY] = await _body(receive)
                await self._exchange(door, scope, receive, send).handled(handler)
                return
        prefix = next(p for p in self.rest if path.startswith(p))
        if scope["type"] == "http":
            await self._exchange(prefix.strip("/") or "web", scope, receive, send).passed_on(self.rest[prefix])
        else:
            await self.rest[prefix](scope, receive, send)

    def ready(self, scope: Scope, headers: Headers) -> Ready | None:
        """The answer to a request without a body that is there at once, noted as sent; else it takes the call above."""
        door, handler = self._handler(scope, scope["path"])
        return None if handler is None else self._exchange(door, scope, _nothing, _nowhere).ready(handler, headers)

    def _exchange(self, door: str, scope: Scope, receive: Receive, send: Send) -> Exchange:
        assert self.observer.admission is not None  # noqa: S101 — it was given one
        return Exchange(self.observer, self.observer.admission, door, scope, receive, send)

    def _handler(self, scope: Scope, path: str) -> tuple[str, Handler | None]:
        query = scope["query_string"].decode("latin-1")
        hosted = _of_host(scope, self.hosts) if self.hosts else None
        if hosted is not None:
            return "s3", partial(hosted, path, query)
        for prefix, handler in self.handlers.items():
            if path.startswith(prefix) or path == prefix[:-1]:
                return prefix[1:-1], partial(handler, path[len(prefix) :], query)
        if self.webdav is not None and _is_webdav(scope):
            return "dav", partial(self.webdav, path, query)
        return "", None


def _of_host(scope: Scope, hosts: Mapping[str, PathHandler]) -> PathHandler | None:
    said = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    host = PORT.sub("", said).lower()
    return next((handler for domain, handler in hosts.items() if f".{host}".endswith(f".{domain}")), None)


def _is_webdav(scope: Scope) -> bool:
    return f"{scope['path']}/".startswith("/dav/") or (
        scope["path"] == "/" and scope["method"] in {"OPTIONS", "PROPFIND"}
    )


async def _nothing() -> Message:
    """What is received of a request that is answered at once."""
    raise NotImplementedError


async def _nowhere(_: Message) -> None:
    """Where such an answer is sent by its exchange: its connection sends it."""
    raise NotImplementedError


async def _body(receive: Receive) -> bytes | None:
    """The body of a request, None where it is too long."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST:
            return None
        more = message.get("more_body", False)
    return bytes(body)
