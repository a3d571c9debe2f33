"""What servers tell of their folders: Diascope, nginx as JSON, and the pages of links that most others make."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from diascope.errors import Unsupported

TITLE = re.compile(rb'<title>(index of|directory listing)|<div class="listing">', re.IGNORECASE)
"""What pages of links call themselves; another page with links is no folder."""


class Listing(NamedTuple):
    """Names, and which of them are folders."""

    names: list[tuple[str, bool]]
    goes_on: bool
    """Whether there is more of it."""


def listing(data: bytes, url: str) -> Listing:
    """That of the folder at a URL that ends in a slash; raises Unsupported."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        if TITLE.search(data):
            return Listing(list(dict.fromkeys(_linked(data.decode("utf-8", "replace"), url))), goes_on=False)
        document = None
    try:
        return _of_json(document)
    except (KeyError, TypeError):
        raise Unsupported(f"{url} is not listed as a Diascope server lists folders, nor as others do") from None


def _of_json(document: Any) -> Listing:
    if isinstance(document, list):
        listed = [(str(each["name"]), each["type"] == "directory") for each in document]
        return Listing([each for each in listed if _is_name(each[0])], goes_on=False)
    names = [(each["name"], each["type"] == "folder") for each in document["entries"]]
    if not all(isinstance(name, str) for name, _ in names):
        raise TypeError
    return Listing(names, goes_on=bool(document.get("next")))


def _linked(page: str, url: str) -> Iterator[tuple[str, bool]]:
    """What its links name right below it: others sort the listing, or lead elsewhere."""
    links = _Links()
    links.feed(page)
    for link in links.found:
        try:
            parts = urlsplit(urljoin(url, link))
        except ValueError:
            continue
        base = urlsplit(url)
        below = parts.path.removeprefix(base.path)
        name = unquote(below.rstrip("/"))
        here = parts.netloc == base.netloc and parts.path.startswith(base.path) and not parts.query
        if here and "/" not in below.rstrip("/") and _is_name(name):
            yield name, below.endswith("/")


def _is_name(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]
