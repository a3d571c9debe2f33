"""Files below a URL: of a Diascope server, or of any that answers ranges (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from diascope.errors import BadRequest, Changed, NotFound, Unreadable, Unsupported
from diascope.stores.neighbours import Neighbours
from diascope.stores.store import Blob, Stat
from diascope.stores.web import asked, body, length
from diascope.stores.web_listing import Listing, listing

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

SAFE = "/~,=+@:!$&'()*;"
"""What Diascope leaves as it is in an address."""

LARGEST = 1 << 30
"""How many bytes a file may have that is read at once."""

LARGEST_PAGE = 1 << 24
"""How many bytes a page of a listing may have."""

PLACE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)

PAGES = {"application/json", "text/html"}
"""What servers list their folders as."""


@dataclass(frozen=True, slots=True)
class HttpStore:
    """What lies below ``base``, a URL that ends in a slash.

    A Diascope server tells what is in a folder, and any whose listing is one of nginx, Apache, rclone or Python.
    """

    base: str
    redirects: frozenset[str] = frozenset()
    """Other hosts that the server may redirect to."""
    authorization: SecretStr | None = None
    """What the server is sent with each request."""

    def url(self, path: str) -> str:
        """Where a path is; raises BadRequest where it is none, or leads out."""
        if path and ("\0" in path or any(segment in {"", ".", ".."} for segment in path.split("/"))):
            raise BadRequest(f"{path!r} is no path within a repository")
        return self.base + quote(path, safe=SAFE)

    def stat(self, path: str) -> Stat | None:
        response = self._asked("HEAD", self.url(path))
        if response is None:
            # Some servers know a folder only with a slash behind it.
            response = self._asked("HEAD", f"{self.url(path)}/")
            return None if response is None else _folder(response)
        if self._is_folder(path, response):
            return _folder(response)
        size = length(response)
        if size is None:
            data = self.read(path)
            size = len(data) if data is not None else 0
        return _stat(response, size)

    def looked(self, path: str) -> tuple[Stat | None, Neighbours | None]:
        stat = self.stat(path)
        return stat, self._neighbours(path) if stat is not None and stat.is_folder else None

    def _neighbours(self, path: str) -> Neighbours | None:
        """What is in a folder, where the server tells it at once: one look spares one for each name that is not."""
        try:
            page = self._page(path, 0)
        except Unsupported:
            return None
        if page is None or page.goes_on:
            return None
        return Neighbours(path, {}, "", frozenset(name for name, _ in page.names))

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        """Raises NotFound where there is no folder, and Unsupported where the server does not list folders."""
        return ((name, stat.is_folder) for name, stat in self.entries(path) if not name.startswith("."))

    def entries(self, path: str) -> Iterator[tuple[str, Stat]]:
        """The same with hidden names, a page at a time; how large a file is nobody tells, which is -1."""
        offset = 0
        while (page := self._page(path, offset)) is not None:
            yield from ((name, Stat(is_folder, 0 if is_folder else -1, "")) for name, is_folder in page.names)
            offset += len(page.names)
            if not page.names or not page.goes_on:
                return
        raise NotFound(f"there is no folder {self.url(path)}")

    def open(self, path: str) -> Blob:
        url = self.url(path)
        response = self._asked("HEAD", url)
        if response is None:
            raise NotFound(f"there is no file {url}")
        size = length(response)
        if size is not None:
            return self.blob(path, _stat(response, size))
        # A file that is only made when it is read has no length before.
        data = self.read(path)
        if data is None:
            raise NotFound(f"{url} has gone")
        return HeldBlob(data, _stat(response, len(data)))

    def blob(self, path: str, stat: Stat) -> Blob:
        """The file as it was when this was known of it."""
        return HttpBlob(self, self.url(path), stat)

    def opened(self, path: str, size: int) -> tuple[Blob, bytes]:
        """The file and its first bytes, by one request of a server that answers ranges."""
        url = self.url(path)
        try:
            response = self._asked("GET", url, {"range": f"bytes=0-{size - 1}"})
        except Unreadable:
            return self.open(path), b""  # there is no range in a file without bytes
        if response is None or (response.geturl() or "").endswith("/"):
            raise NotFound(f"there is no file {url}")
        place = PLACE.fullmatch(response.headers.get("content-range", ""))
        if response.status != 206 or place is None or place[1] != "0" or place[3] == "*":
            response.close()
            return self.open(path), b""
        blob = self.blob(path, _stat(response, int(place[3])))
        return blob, body(response, size)

    def read(self, path: str) -> bytes | None:
        response = self._asked("GET", self.url(path))
        return None if response is None else body(response, LARGEST)

    def local_path(self, path: str) -> str | None:  # noqa: ARG002
        return None

    def _asked(self, method: str, url: str, headers: dict[str, str] | None = None) -> BaseHTTPResponse | None:
        own = {"authorization": self.authorization.get_secret_value()} if self.authorization else {}
        return asked(method, url, own | (headers or {}), self.redirects)

    def _is_folder(self, path: str, response: BaseHTTPResponse) -> bool:
        """Whether the server answers with a listing: it says so, or with a slash behind it something is there too."""
        given = response.geturl() or ""
        if not path or any(url.endswith("/") for url in (given, _own_address(response))):
            return True
        if urlsplit(given).path.startswith(urlsplit(self.url(path)).path + "/"):
            return True  # it leads to a file in it, as a IIIF image does
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        return kind in PAGES and self._asked("HEAD", self.url(path) + "/") is not None

    def _page(self, path: str, offset: int) -> Listing | None:
        url = self.url(path) + "/" * bool(path)
        response = self._asked("GET", f"{url}?offset={offset}")
        return None if response is None else listing(body(response, LARGEST_PAGE), url)


@dataclass(frozen=True, slots=True)
class HttpBlob:
    """A file of which ranges are asked for."""

    store: HttpStore
    url: str
    stat: Stat

    def read(self, start: int, stop: int) -> bytes:
        """Raises Unreadable where the server answers something else, and Changed where the file has changed."""
        stop = min(stop, self.stat.size)
        if start >= stop:
            return b""
        response = self.store._asked("GET", self.url, {"range": f"bytes={start}-{stop - 1}"})  # noqa: SLF001 - its own
        if response is None:
            raise Unreadable(f"{self.url} has gone")
        version = _version(response)
        if self.stat.version and version and version != self.stat.version:
            response.close()
            raise Changed(f"{self.url} has changed since it was opened")
        if not _answers(response, start, stop, self.stat.size):
            response.close()
            raise Unreadable(f"{self.url}: the server does not answer with the range that it was asked for")
        data = body(response, stop - start)
        if len(data) != stop - start:
            raise Unreadable(f"{self.url}: {len(data)} bytes came of the {stop - start} that were asked for")
        return data


@dataclass(frozen=True, slots=True)
class HeldBlob:
    """A file whose bytes are here."""

    data: bytes
    stat: Stat

    def read(self, start: int, stop: int) -> bytes:
        return self.data[start : max(start, stop)]


def _answers(response: BaseHTTPResponse, start: int, stop: int, size: int) -> bool:
    """Whether a response holds the bytes from start to stop."""
    if response.status == 200:
        return (start, stop) == (0, size)
    place = PLACE.fullmatch(response.headers.get("content-range", ""))
    if place is None or (int(place[1]), int(place[2])) != (start, stop - 1):
        return False
    return place[3] in {"*", str(size)}


def _own_address(response: BaseHTTPResponse) -> str:
    """What the server says is the address of what it gives (RFC 9110, section 8.7)."""
    return str(response.headers.get("content-location") or "")


def _version(response: BaseHTTPResponse) -> str:
    """The entity tag, else the time of the last change."""
    return str(response.headers.get("etag") or response.headers.get("last-modified") or "")


def _modified(response: BaseHTTPResponse) -> float | None:
    try:
        return parsedate_to_datetime(response.headers.get("last-modified", "")).timestamp()
    except (ValueError, OverflowError):
        return None


def _folder(response: BaseHTTPResponse) -> Stat:
    return Stat(is_folder=True, size=0, version=_version(response), modified=_modified(response))


def _stat(response: BaseHTTPResponse, size: int) -> Stat:
    """Of a file."""
    return Stat(is_folder=False, size=size, version=_version(response), modified=_modified(response))
