"""Files below a URL: of a Diascope server, or of any that answers ranges (RFC 9110)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from diascope.errors import BadRequest, NotFound, Unreadable, Unsupported
from diascope.stores.store import Blob, Stat
from diascope.stores.web import asked, body, length

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

SAFE = "/~,=+@:!$&'()*;"
"""What Diascope leaves as it is in an address."""

LARGEST = 1 << 30
"""How many bytes a file may have that is read at once."""

LARGEST_PAGE = 1 << 24
"""How many bytes a page of a listing may have."""

PLACE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\d{1,18}|\*)", re.ASCII)

PAGES = {"application/json", "text/html"}
"""What servers list their folders as."""


@dataclass(frozen=True, slots=True)
class HttpStore:
    """What lies below ``base``, a URL that ends in a slash.

    Only a Diascope server tells what is in a folder.
    """

    base: str

    def url(self, path: str) -> str:
        """Where a path is; raises BadRequest where it is none, or leads out."""
        if path and ("\0" in path or any(segment in {"", ".", ".."} for segment in path.split("/"))):
            raise BadRequest(f"{path!r} is no path within a repository")
        return self.base + quote(path, safe=SAFE)

    def stat(self, path: str) -> Stat | None:
        response = asked("HEAD", self.url(path))
        if response is None:
            return None
        if self._is_folder(path, response):
            return Stat(is_folder=True, size=0, version=_version(response))
        size = length(response)
        if size is None:
            data = self.read(path)
            size = len(data) if data is not None else 0
        return Stat(is_folder=False, size=size, version=_version(response))

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        """Raises NotFound where there is no folder, and Unsupported where the server is no Diascope."""
        return (entry for entry in self.entries(path) if not entry[0].startswith("."))

    def entries(self, path: str) -> Iterator[tuple[str, bool]]:
        """The same with hidden names, a page at a time."""
        offset = 0
        while (page := self._page(path, offset)) is not None:
            yield from ((each["name"], each["type"] == "folder") for each in page["entries"])
            offset += len(page["entries"])
            if not page["entries"] or not page.get("next"):
                return
        raise NotFound(f"there is no folder {self.url(path)}")

    def open(self, path: str) -> Blob:
        url = self.url(path)
        response = asked("HEAD", url)
        if response is None:
            raise NotFound(f"there is no file {url}")
        size = length(response)
        if size is not None:
            return HttpBlob(url, Stat(is_folder=False, size=size, version=_version(response)))
        # A file that is only made when it is read has no length before.
        data = self.read(path)
        if data is None:
            raise NotFound(f"{url} has gone")
        return HeldBlob(data, Stat(is_folder=False, size=len(data), version=_version(response)))

    def read(self, path: str) -> bytes | None:
        response = asked("GET", self.url(path))
        return None if response is None else body(response, LARGEST)

    def local_path(self, path: str) -> str | None:  # noqa: ARG002
        return None

    def _is_folder(self, path: str, response: BaseHTTPResponse) -> bool:
        """Whether the server answers with a listing: it says so, or with a slash behind it something is there too."""
        given = response.geturl() or ""
        if not path or any(url.endswith("/") for url in (given, _own_address(response))):
            return True
        if urlsplit(given).path.startswith(urlsplit(self.url(path)).path + "/"):
            return True  # it leads to a file in it, as a IIIF image does
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        return kind in PAGES and asked("HEAD", self.url(path) + "/") is not None

    def _page(self, path: str, offset: int) -> dict[str, Any] | None:
        url = self.url(path) + "/" * bool(path)
        response = asked("GET", f"{url}?offset={offset}")
        if response is None:
            return None
        try:
            page = json.loads(body(response, LARGEST_PAGE))
            if all(isinstance(each["name"], str) and each["type"] for each in page["entries"]):
                return dict(page)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise Unsupported(f"{url} is not listed as a Diascope server lists folders")


@dataclass(frozen=True, slots=True)
class HttpBlob:
    """A file of which ranges are asked for."""

    url: str
    stat: Stat

    def read(self, start: int, stop: int) -> bytes:
        """Raises Unreadable where the server answers something else, or the file has changed since it was opened."""
        stop = min(stop, self.stat.size)
        if start >= stop:
            return b""
        response = asked("GET", self.url, {"range": f"bytes={start}-{stop - 1}"})
        if response is None:
            raise Unreadable(f"{self.url} has gone")
        version = _version(response)
        if self.stat.version and version and version != self.stat.version:
            response.close()
            raise Unreadable(f"{self.url} has changed since it was opened")
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
    return place is not None and (int(place[1]), int(place[2])) == (start, stop - 1)


def _own_address(response: BaseHTTPResponse) -> str:
    """What the server says is the address of what it gives (RFC 9110, section 8.7)."""
    return str(response.headers.get("content-location") or "")


def _version(response: BaseHTTPResponse) -> str:
    """The entity tag, else the time of the last change."""
    return str(response.headers.get("etag") or response.headers.get("last-modified") or "")
