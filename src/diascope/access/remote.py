"""The tree of another Diascope, over HTTP as ``docs/addresses.md`` has it, on connections that are kept alive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from time import sleep
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from diascope.errors import BadRequest, DiascopeError, Forbidden, NotFound, Overloaded, Unreadable, Unsupported
from diascope.tree.cache import FileCache, file_cache
from diascope.tree.file import Entry, File

ERRORS: dict[int, type[DiascopeError]] = {
    400: BadRequest,
    403: Forbidden,
    404: NotFound,
    412: Unreadable,
    422: Unsupported,
    503: Overloaded,
}
PATIENCE = 60.0
"""Seconds that a server may say nothing."""
REDIRECTS = 5
IDLE = 16
"""How many connections are kept that have nothing to do."""
PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds before a server that is busy is asked again."""
KEPT = 64 << 20
"""Bytes of files of which only the whole tells the size."""
SAFE = "/~,=+@:!$&'()*;"
"""What stands in a path as it is (RFC 3986, section 3.3)."""


class Reply(NamedTuple):
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes


@dataclass(slots=True)
class Connections:
    """Connections to one server, each used by one thread at a time."""

    url: str
    _idle: list[HTTPConnection] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __del__(self) -> None:
        """A tree is used for as long as anybody has it, and nobody says when that ends."""
        for connection in self._idle:
            connection.close()

    def asked(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """The answer; raises Unreadable where the server gives none, or less than it said."""
        try:
            while (connection := self._kept()) is not None:
                try:
                    return self._answer(connection, method, target, headers)
                except (HTTPException, ConnectionError):
                    # A server closes connections that idle; nothing here changes anything, so it is asked again.
                    connection.close()
            return self._answer(self._new(), method, target, headers)
        except (HTTPException, OSError) as error:
            raise Unreadable(f"{self.url} does not answer: {error or type(error).__name__}") from error

    def _answer(self, connection: HTTPConnection, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        try:
            connection.request(method, target, headers=dict(headers))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            reply = Reply(response.status, found, response.read())
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return reply

    def _kept(self) -> HTTPConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _keep(self, connection: HTTPConnection) -> None:
        with self._lock:
            if len(self._idle) < IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _new(self) -> HTTPConnection:
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=PATIENCE)


@dataclass(frozen=True, slots=True)
class Remote:
    """The tree of another Diascope, below a URL that ends in ``/data/``."""

    base: str
    _connections: Connections = field(init=False)
    _files: FileCache = field(default_factory=lambda: file_cache(KEPT))

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        object.__setattr__(self, "_connections", Connections(f"{parts.scheme}://{parts.netloc}"))

    def file(self, path: str) -> File | None:
        head = self._asked(path, "HEAD") if path else None
        if head is None or head.status == 303 or head.headers.get("content-location", "").endswith("/"):
            return None
        length, tag = head.headers.get("content-length"), head.headers.get("etag")
        same = {"if-match": tag} if tag else {}
        return File(
            media_type=head.headers.get("content-type", "application/octet-stream"),
            size=int(length) if length else None,
            read=lambda start, stop: self._bytes(path, start, stop, same, whole=length is None),
            etag=(tag or "").strip('"') or None,
        )

    def entries(self, path: str) -> Iterator[Entry] | None:
        first = self._listing(path, 0)
        return self._pages(path, first) if first else None

    def _pages(self, path: str, page: dict[str, Any] | None) -> Iterator[Entry]:
        offset = 0
        while page and page["entries"]:
            yield from (_entry(each) for each in page["entries"])
            offset += len(page["entries"])
            page = self._listing(path, offset) if page["next"] else None

    def _listing(self, path: str, offset: int) -> dict[str, Any] | None:
        """A page of a folder's listing, None where the path is no folder."""
        reply = self._asked(f"{path}/" if path else "", "GET", query=f"?offset={offset}")
        if reply is None:
            return None
        try:
            document = json.loads(reply.body)
            return {"entries": list(document["entries"]), "next": document["next"]}
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"{self.base}{path} gives no listing of Diascope's") from error

    def _bytes(self, path: str, start: int, stop: int | None, same: dict[str, str], *, whole: bool) -> bytes:
        """The bytes of the file that was looked up; raises Unreadable where it is another by now."""
        if stop is not None and stop <= start:
            return b""
        if whole:
            return self._files.get((path, same.get("if-match")), lambda: self._got(path, same))[start:stop]
        return self._got(path, same | {"range": f"bytes={start}-{'' if stop is None else stop - 1}"}, start)

    def _got(self, path: str, headers: dict[str, str], start: int | None = None) -> bytes:
        reply = self._asked(path, "GET", headers)
        if reply is None:
            raise NotFound(f"{self.base}{path} is gone")
        told = reply.headers.get("content-range", "")
        if start is not None and (reply.status != 206 or not told.startswith(f"bytes {start}-")):
            raise Unreadable(f"{self.base}{path}: {headers['range']} was answered with {reply.status} {told}")
        return reply.body

    def _asked(self, path: str, method: str, headers: Mapping[str, str] | None = None, query: str = "") -> Reply | None:
        """The answer, 303 included, None where there is nothing; errors are raised as the server tells them."""
        url = self.base + quote(path, safe=SAFE, errors="surrogateescape") + query
        for _ in range(REDIRECTS):
            reply = self._patient(method, url, headers or {})
            if reply.status not in {301, 302, 307, 308}:
                break
            url = self._here(urljoin(url, reply.headers.get("location", "")))
        if reply.status == 404:
            return None
        if reply.status not in {200, 206, 303}:
            if method == "HEAD":
                reply = self._patient("GET", url, {"range": "bytes=0-0"})  # only a body tells the reason
            raise ERRORS.get(reply.status, Unreadable)(_detail(reply, f"{self.base}{path}"))
        return reply

    def _patient(self, method: str, url: str, headers: Mapping[str, str]) -> Reply:
        """The answer of a server that may be busy for a while."""
        target = url.removeprefix(self._connections.url)
        for pause in PAUSES:
            reply = self._connections.asked(method, target, headers)
            if reply.status != 503:
                return reply
            sleep(pause)
        return self._connections.asked(method, target, headers)

    def _here(self, url: str) -> str:
        if not url.startswith(f"{self._connections.url}/"):
            raise Unreadable(f"{self.base} leads to another server, {url}")
        return url


def _entry(told: dict[str, Any]) -> Entry:
    """An entry of a listing; a server does not choose where a client writes."""
    name = str(told["name"])
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise Unreadable(f"{name!r} is no name in a folder")
    return Entry(name, told["type"] == "folder")


def _detail(reply: Reply, url: str) -> str:
    try:
        return str(json.loads(reply.body)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {reply.status} for {url}"
