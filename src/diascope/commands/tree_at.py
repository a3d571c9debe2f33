"""The tree that an address on the command line leads into: on this machine, or on a Diascope server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

from diascope.errors import BadRequest, DiascopeError, NotFound, Overloaded, Unreadable, Unsupported
from diascope.settings import RepositorySettings, Settings
from diascope.tree.file import Entry, File, Tree

ERRORS: dict[int, type[DiascopeError]] = {400: BadRequest, 404: NotFound, 422: Unsupported, 503: Overloaded}


def tree_at(address: str) -> tuple[Tree, str]:
    """The root tree that an address belongs to, and the path in it; raises NotFound where nothing is there."""
    if address.startswith(("http://", "https://")):
        return _remote(address)
    from diascope.arrangements.by_name import ByName
    from diascope.catalogue.catalogue import catalogue

    full = Path(address).absolute()
    anchor = next((parent for parent in (full, *full.parents) if parent.exists()), None)
    if anchor is None or anchor == Path(anchor.anchor):
        raise NotFound(f"there is nothing at {address!r}")
    settings = Settings(
        repositories={anchor.parent.name or "root": RepositorySettings(path=anchor.parent, follow_links=True)}
    )
    return ByName(catalogue(settings)), f"{anchor.parent.name or 'root'}/{full.relative_to(anchor.parent)}"


def _remote(address: str) -> tuple[Tree, str]:
    base, data, path = urlsplit(address)._replace(query="", fragment="").geturl().partition("/data/")
    if not data:
        raise BadRequest(f"{address!r} is no address below /data/ of a server")
    return Remote(base + data), unquote(path).strip("/")


@dataclass(frozen=True, slots=True)
class Remote:
    """The tree of another Diascope, over HTTP."""

    base: str

    def file(self, path: str) -> File | None:
        if self._listing(path, 0) is not None:
            return None
        head = self._asked(path, "HEAD")
        if head is None:
            return None
        length = head.headers.get("content-length")
        return File(
            media_type=head.headers.get_content_type(),
            size=int(length) if length else None,
            read=lambda start, stop: self._bytes(path, start, stop),
            etag=(head.headers.get("etag") or "").strip('"') or None,
        )

    def entries(self, path: str) -> Iterator[Entry] | None:
        first = self._listing(path, 0)
        return self._pages(path, first) if first else None

    def _pages(self, path: str, page: dict[str, Any] | None) -> Iterator[Entry]:
        offset = 0
        while page:
            yield from (Entry(each["name"], each["type"] == "folder") for each in page["entries"])
            offset += len(page["entries"])
            page = self._listing(path, offset) if page["next"] else None

    def _listing(self, path: str, offset: int) -> dict[str, Any] | None:
        """A page of a folder's listing, None where the path is no folder."""
        response = self._asked(f"{path}/" if path else "", "GET", query=f"?offset={offset}")
        return json.loads(response.read()) if response else None

    def _bytes(self, path: str, start: int, stop: int | None) -> bytes:
        if stop is not None and stop <= start:
            return b""
        response = self._asked(path, "GET", {"range": f"bytes={start}-{'' if stop is None else stop - 1}"})
        if response is None:
            raise NotFound(f"{self.base}{path} is gone")
        return bytes(response.read())

    def _asked(self, path: str, method: str, headers: dict[str, str] | None = None, query: str = "") -> Any:
        """The response, None where there is nothing; other errors are raised as the server tells them."""
        request = Request(self.base + quote(path) + query, headers=headers or {}, method=method)  # noqa: S310
        try:
            return urlopen(request, timeout=60)  # noqa: S310
        except HTTPError as error:
            if error.code == 404:
                return None
            raise ERRORS.get(error.code, Unreadable)(_detail(error)) from error
        except URLError as error:
            raise Unreadable(f"{self.base} does not answer: {error.reason}") from error


def _detail(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {error.code} {error.reason}"
