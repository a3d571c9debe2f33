"""The tree over HTTP, below ``/data/``: files, listings of folders as JSON, redirects to canonical addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from urllib.parse import parse_qs, quote

from diascope.access.answer import Answer, Asked, answered, failed, moved, refused
from diascope.errors import BadRequest, DiascopeError, NotFound, TooLarge
from diascope.haste import pause
from diascope.tree.file import File, Tree, json_file

PAGE = 1000
"""How many entries a listing has at the most."""

DEEPEST = 100_000
"""How far into a folder a listing reaches: a folder may have billions of entries, made one after another."""

LONGEST_NUMBER = 18
"""Digits of an offset."""


@dataclass(frozen=True, slots=True)
class Data:
    """Answers requests for paths of the root tree."""

    tree: Tree
    canonical: Callable[[str], str]
    """A path with its view spelled canonically."""
    known: Callable[[str], File | None] = lambda _: None
    """The file at a path of which it is known that it is canonical, where that is known."""

    def answer(self, path: str, query: str, asked: Asked) -> Answer:
        """Whatever happens is told with a status of its own; trouble is never 404."""
        if asked.method not in {"GET", "HEAD"}:
            return refused(asked)
        try:
            if asked.trouble:
                raise asked.trouble
            return self._answer(path, query, asked)
        except DiascopeError as error:
            return failed(error, asked)

    def _answer(self, path: str, query: str, asked: Asked) -> Answer:
        file = None if path.endswith("/") else self.known(path)
        if file is not None:
            return answered(file, asked)
        canonical = self.canonical(path.removesuffix("/"))
        if canonical != path.removesuffix("/"):
            return moved(f"/data/{canonical}" + "/" * path.endswith("/"))
        file = None if path.endswith("/") else self.tree.file(path)
        if file is not None:
            return answered(file, asked)
        # A folder may have a file that answers for it, such as the identifier of a IIIF service.
        index = self.tree.file(f"{canonical}/") if canonical else None
        # Whoever says from where on wants the listing.
        if index is not None and index.moved is not None and "offset=" not in query:
            return moved(f"/data/{canonical}/{index.moved}", HTTPStatus.SEE_OTHER)
        return self._listing(canonical, query, asked)

    def _listing(self, path: str, query: str, asked: Asked) -> Answer:
        pause()
        entries = self.tree.entries(path)
        if entries is None:
            raise NotFound(f"there is nothing at {path!r}")
        offset = _offset(query)
        page = list(islice(entries, offset, offset + PAGE + 1))
        base = f"/data/{quote(path)}/" if path else "/data/"
        document = {
            "path": path,
            "entries": [
                {
                    "name": e.name,
                    "type": "folder" if e.is_folder else "file",
                    "url": base + quote(e.name) + "/" * e.is_folder,
                }
                for e in page[:PAGE]
            ],
            "next": f"{base}?offset={offset + PAGE}" if len(page) > PAGE else None,
        }
        answer = answered(json_file(document), asked)
        # With or without a slash behind it: so clients know a folder from a file of JSON (RFC 9110, section 8.7).
        answer.headers["content-location"] = base
        return answer


def _offset(query: str) -> int:
    text = parse_qs(query).get("offset", ["0"])[-1]
    if not (text.isascii() and text.isdecimal()) or len(text) > LONGEST_NUMBER:
        raise BadRequest(f"offset={text!r} is no whole number from 0 to {DEEPEST}")
    if int(text) > DEEPEST:
        raise TooLarge(f"a listing reaches {DEEPEST} entries far")
    return int(text)
