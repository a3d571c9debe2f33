"""Long lists of records in XML, read one by one in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

from diascope.errors import Unreadable
from diascope.sources.reading.xml import local
from diascope.stores.store import Store

Parser: TypeAlias = Any
"""ElementTree's pull parser, whose events are elements as only these are asked for."""

LARGEST = 1 << 29
WINDOW = 1 << 20
REFUSED = (b"<!DOCTYPE", b"<!ENTITY")


def records(store: Store, path: str, tags: frozenset[str]) -> Iterator[ET.Element]:
    """The elements of these names, each whole when it comes; raises Unreadable where the file is no such XML."""
    blob = store.open(path)
    if blob.stat.size > LARGEST:
        raise Unreadable(f"{path}: {blob.stat.size} bytes of XML are over the limit of {LARGEST}")
    parser: Parser = ET.XMLPullParser(("end",))
    before = b""
    try:
        for start in range(0, blob.stat.size, WINDOW):
            data = blob.read(start, start + WINDOW)
            if any(word in before + data for word in REFUSED) or b"\0" in data[:4]:
                raise Unreadable(f"{path}: its XML declares a document type or entities, which is refused")
            before = data[-len(REFUSED[0]) :]
            parser.feed(data)
            yield from _ended(parser, tags)
        parser.close()
        yield from _ended(parser, tags)
    except ET.ParseError as error:
        raise Unreadable(f"{path}: its XML cannot be parsed: {error}") from error


def _ended(parser: Parser, tags: frozenset[str]) -> Iterator[ET.Element]:
    """The records that have ended; what is in each is forgotten when the next comes."""
    for _, found in parser.read_events():
        if local(found) in tags:
            yield found
            found.clear()


def attributes(element: ET.Element) -> dict[str, str]:
    """By their names without namespaces."""
    return {name.rpartition("}")[2]: value for name, value in element.attrib.items()}


def texts(element: ET.Element) -> dict[str, str]:
    """The texts of the direct children by their names without namespaces."""
    return {local(child): (child.text or "").strip() for child in element}


def whole(told: Mapping[str, str], name: str, default: int | None = None) -> int:
    """The whole number of a record; raises Unreadable where it tells none."""
    text = told.get(name, "" if default is None else str(default))
    if not text.isascii() or not text.lstrip("-").isdecimal() or len(text) > 18:
        raise Unreadable(f"a record has {name} {text[:50]!r}, which is no number")
    return int(text)
