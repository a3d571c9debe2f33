"""The HTTP server: ``/data/``, ``/s3/`` and ``/dav/`` the tree, ``/api/`` the REST part, ``/`` the web application."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from diascope.access.admission import Admission, Limits, Ticket, gone
from diascope.access.answer import Answer, Asked, failed
from diascope.access.blocks import Blocks
from diascope.errors import DiascopeError, Overloaded
from diascope.work import Gone

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS, PROPFIND",
    "access-control-allow-headers": (
        "range, if-range, if-match, if-none-match, content-type, cache-control, accept, depth"
    ),
    "access-control-expose-headers": "content-range, content-length, accept-ranges, etag, location, retry-after",
    "access-control-max-age": "86400",
    "cross-origin-resource-policy": "cross-origin",
}
"""Every viewer on every site may read: there is nothing here that a cookie opens."""

PORT = re.compile(r":\d*$")

WITH_BODY = frozenset(("OPTIONS", "PROPFIND"))
"""The methods of WebDAV that are answered and may have a body."""

BODY = "diascope.body"
"""Where a scope has the body that was read, None where it is too long."""

LARGEST = 64 << 10
"""Bytes of the body of a request; a list of properties has a few hundred."""

Handler = Callable[[Asked], Answer]
PathHandler = Callable[[str, str, Asked], Answer]
"""Of the path below the prefix, the query, and the request."""


def server(
    handlers: Mapping[str, PathHandler],
    rest: dict[str, ASGIApp],
    limits: Limits,
    hosts: Mapping[str, PathHandler] | None = None,
    webdav: PathHandler | None = None,
) -> ASGIApp:
    """An ASGI application that gives each request to the handler or application with its longest prefix.

    Before them come the handlers of domains, which take whole paths on the domain and the hosts below it; and that of
    WebDAV, which takes whole paths too, since its clients ask what lies above ``/dav/`` before they go there.
    """
    admission = Admission(limits)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query = scope["query_string"].decode("latin-1")
            handler = _of_host(scope, hosts) if hosts else None
            if handler is not None:
                await _handle(scope, receive, send, admission, partial(handler, scope["path"], query))
                return
            if webdav is not None and _is_webdav(scope):
                if scope["method"] in WITH_BODY:
                    scope[BODY] = await _body(receive)
                await _handle(scope, receive, send, admission, partial(webdav, scope["path"], query))
                return
            prefix = next((p for p in handlers if f"{scope['path']}/".startswith(p)), None)
            if prefix is not None:
                path = scope["path"][len(prefix) :]
                await _handle(scope, receive, send, admission, partial(handlers[prefix], path, query))
                return
        application = next(app for p, app in rest.items() if scope.get("path", "/").startswith(p))
        await application(scope, receive, send)

    return app


def _of_host(scope: Scope, hosts: Mapping[str, PathHandler]) -> PathHandler | None:
    said = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    host = PORT.sub("", said).lower()
    return next((handler for domain, handler in hosts.items() if f".{host}".endswith(f".{domain}")), None)


def _is_webdav(scope: Scope) -> bool:
    return f"{scope['path']}/".startswith("/dav/") or (
        scope["path"] == "/" and scope["method"] in {"OPTIONS", "PROPFIND"}
    )


async def _handle(scope: Scope, receive: Receive, send: Send, admission: Admission, handler: Handler) -> None:
    asked = _asked(scope)
    if asked.method == "OPTIONS" and (BODY not in scope or "access-control-request-method" in asked.headers):
        await _send_head(send, 204, CORS)
        await send({"type": "http.response.body", "body": b""})
        return
    try:
        ticket = admission.ticket(client_of(scope))
    except Overloaded as error:
        await _send(scope, receive, send, None, handler(replace(asked, trouble=error)))
        return
    try:
        answer = await _answer(ticket, handler, asked, receive)
        await _send(scope, receive, send, ticket, answer)
    except Gone:
        pass  # there is nobody to tell
    finally:
        ticket.leave()


def client_of(scope: Scope) -> str:
    """Whose request it is, as far as can be told before anything of it is believed."""
    client = scope.get("client")
    return client[0] if client else ""


async def _send(scope: Scope, receive: Receive, send: Send, ticket: Ticket | None, answer: Answer) -> None:
    # A body that was not read to its end: what follows it on the connection would be taken for it.
    is_read = scope["method"] in {"GET", "HEAD"} or scope.get(BODY) is not None
    last = {} if is_read else {"connection": "close"}
    await _send_head(send, answer.status.value, CORS | answer.headers | last)
    if isinstance(answer.body, bytes):
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
    elif ticket is not None:
        await _send_blocks(receive, send, ticket, answer.body)


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


async def _answer(ticket: Ticket, handler: Handler, asked: Asked, receive: Receive) -> Answer:
    """What the door answers; what happened before it was asked it tells in its own words."""
    try:
        answer = await ticket.run(lambda: handler(asked), receive)
    except DiascopeError as error:
        return handler(replace(asked, trouble=error))
    except Exception as error:  # noqa: BLE001
        return failed(error, asked)
    held = len(answer.body) if isinstance(answer.body, bytes) else int(answer.headers.get("content-length", 0))
    ticket.keep(held)
    return answer


async def _send_blocks(receive: Receive, send: Send, ticket: Ticket, blocks: Iterator[bytes]) -> None:
    """A body block by block, as long as the client is there.

    Trouble in the middle cuts the connection: the client sees that bytes are missing.
    """
    if not isinstance(blocks, Blocks):
        ticket.unbounded()
    leaving = asyncio.create_task(gone(receive))
    leaving.add_done_callback(lambda _: ticket.abandon())
    try:
        while not leaving.done() and (block := await ticket.run(lambda: next(blocks, None))) is not None:
            await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        leaving.cancel()


async def _send_head(send: Send, status: int, headers: dict[str, str]) -> None:
    encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


def _asked(scope: Scope) -> Asked:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    host = headers.get("host") or ":".join(map(str, scope.get("server") or ("localhost",)))
    url = f"{scope['scheme']}://{host}{quote(scope['path'], safe=SAFE)}"
    return Asked(scope["method"], url, headers, scope.get(BODY, b""))


SAFE = "/~,=+@:!$&'()*;"
"""What stands in a path as it is (RFC 3986, section 3.3)."""
