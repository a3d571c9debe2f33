"""A folder as a page, for who opens its address in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import islice
from urllib.parse import quote

from diascope.access.webdav_resource import SAFE
from diascope.tree.file import Entry, File, in_memory

MOST = 1000
"""How many entries a page shows."""


def page(path: str, entries: Iterator[Entry]) -> File:
    """Links to what lies in the folder at this path, which begins at the top of the server."""
    shown = list(islice(entries, MOST + 1))
    base = f"/{path}/" if path else "/"
    rows = "".join(_row(base, entry) for entry in shown[:MOST])
    more = f"<p>Only the first {MOST} entries are shown.</p>" if len(shown) > MOST else ""
    above = '<li><a href="../">../</a></li>' if path else ""
    title = escape(base)
    text = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><base href="{_address(base)}">'
        f"<title>{title}</title></head><body><h1>{title}</h1><ul>{above}{rows}</ul>{more}"
        "<p>This is a WebDAV folder: it can be mounted, read-only.</p></body></html>\n"
    )
    return in_memory(text.encode(errors="replace"), "text/html; charset=utf-8")


def _row(base: str, entry: Entry) -> str:
    name = entry.name + "/" * entry.is_folder
    return f'<li><a href="{_address(base + name)}">{escape(name)}</a></li>'


def _address(path: str) -> str:
    return quote(path, safe=SAFE, errors="replace")
