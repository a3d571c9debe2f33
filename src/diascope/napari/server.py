"""The images of a Diascope server, by its REST part (``docs/rest.md``)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from diascope.errors import BadRequest, DiascopeError, NotFound, Unreadable
from diascope.napari.place import SEARCHED, Description, Found, Page, entries
from diascope.operations.view import ORIGINAL
from diascope.stores.http import SAFE, HttpStore
from diascope.stores.web import asked, body

LARGEST = 1 << 24
"""How many bytes an answer may have."""

PAGE = 200
"""How many entries of a folder are asked for at once."""

RENDER = "render"
DATA = "/data/"
PAGES = "/image/"
"""Where the web application has the page of an image, whose address is what people copy."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server by the URL that ``/api/`` and ``/data/`` stand behind, without a slash at its end."""

    base: str

    def reached(self) -> Server:
        """The server itself; raises Unreadable where none answers."""
        try:
            self.listed("")
        except (NotFound, Unreadable) as error:
            raise Unreadable(f"no Diascope server answers at {self.base}") from error
        return self

    def listed(self, path: str, after: str = "") -> Page:
        if not path:
            return Page(entries(self._json("repositories"), "repositories"), None)
        told = self._json(f"list/{path}", limit=PAGE, after=after)
        return Page(entries(told, "entries"), told.get("next"))

    def found(self, text: str) -> Found:
        told = self._json("search", q=text, limit=SEARCHED)
        return Found(entries(told, "results"), bool(told.get("complete")))

    def described(self, path: str) -> Description:
        return self._json(f"image/{path}")

    def picture(self, path: str, size: int) -> bytes:
        return self._bytes(f"thumbnail/{path}", size=size)

    def views(self, path: str) -> list[str]:
        try:
            names = [name for name, _ in HttpStore(f"{self.address(path)}/").entries("")]
        except DiascopeError:
            names = []
        return [ORIGINAL, RENDER, *(name for name in names if name.startswith("@"))]

    def checked(self, path: str, view: str) -> str:
        return str(self._json(f"representations/{path}", view=view).get("view", view))

    def address(self, path: str, view: str = ORIGINAL) -> str:
        return self.base + quote(f"{DATA}{path}{'' if view == ORIGINAL else f'/{view}'}", safe=SAFE)

    def _json(self, call: str, **query: Any) -> dict[str, Any]:
        text = self._bytes(call, **query)
        with suppress(ValueError, RecursionError):
            document = json.loads(text)
            if isinstance(document, dict):
                return document
        raise Unreadable(f"{self.base} does not answer as a Diascope server does")

    def _bytes(self, call: str, **query: Any) -> bytes:
        url = f"{self.base}/api/{quote(call, safe=SAFE)}{'?' * bool(query)}{urlencode(query)}"
        response = asked("GET", url)
        if response is None:
            raise NotFound(f"there is nothing at {url}; is {self.base} a Diascope server?")
        return body(response, LARGEST)


def server_of(text: str) -> Server:
    """The server of an address that somebody typed or copied: of its root, of a page, or of an image."""
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadRequest(f"{text!r} is no address of a server such as http://localhost:8400")
    before = parts.path
    for room in (DATA, PAGES, "/browse/", "/api/"):
        before = f"{before}/".partition(room)[0]
    return Server(f"{parts.scheme}://{parts.netloc}{before.rstrip('/')}")


def image_url(url: str) -> str:
    """The URL of an image's data, also where that of its page was copied."""
    parts = urlsplit(url)
    if DATA in parts.path or PAGES not in parts.path:
        return url
    return parts._replace(path=parts.path.replace(PAGES, DATA, 1), query="", fragment="").geturl()


def path_on_server(url: str) -> str | None:
    """The path of a URL below ``/data/``, None where it is no such URL."""
    _, data, path = urlsplit(url).path.partition(DATA)
    return unquote(path).strip("/") if data and path.strip("/") else None
