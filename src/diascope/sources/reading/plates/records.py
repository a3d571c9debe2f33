"""Long lists of records in XML, read one by one in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

from diascope.errors import Unreadable
from diascope.sources.reading.xml import local
from diascope.stores.store import Store

Parser: TypeAlias = Any
"""ElementTree's pull parser, whose events are elements as only these are asked for."""

LARGEST = 1 << 29
WINDOW = 1 << 20
SLICE = 1 << 16
"""Bytes that are parsed at once, whose elements are all held."""
LONGEST = 4
"""Windows in which no element begins or ends are a part of one that is too long."""
DEEPEST = 64
MOST_INNER = 100_000
"""Elements within a record."""
DENSEST = 6
"""Bytes in which an element begins or ends, on average: empty ones take long, and tell nothing."""
REFUSED = (b"<!DOCTYPE", b"<!ENTITY")


def records(store: Store, path: str, tags: frozenset[str]) -> Iterator[ET.Element]:
    """The elements of these names, each whole when it comes; raises Unreadable where the file is no such XML."""
    blob = store.open(path)
    if blob.stat.size > LARGEST:
        raise Unreadable(f"{path}: {blob.stat.size} bytes of XML are over the limit of {LARGEST}")
    parser: Parser = ET.XMLPullParser(("start", "end"))
    place, before, quiet = _Place(path, tags), b"", 0
    try:
        for start in range(0, blob.stat.size, WINDOW):
            data = blob.read(start, start + WINDOW)
            if any(word in before + data for word in REFUSED) or b"\0" in data[:4]:
                raise Unreadable(f"{path}: its XML declares a document type or entities, which is refused")
            before, seen = data[-len(REFUSED[0]) :], place.seen
            for at in range(0, len(data), SLICE):
                parser.feed(data[at : at + SLICE])
                yield from place.ended(parser)
                if place.seen > (start + at) // DENSEST + SLICE:
                    raise Unreadable(f"{path}: its XML has {place.seen // 2} elements in {start + at} bytes")
            quiet = quiet + 1 if place.seen == seen else 0
            if quiet > LONGEST:
                raise Unreadable(f"{path}: an element of its XML has more than {LONGEST * WINDOW} bytes")
        parser.close()
        yield from place.ended(parser)
    except ET.ParseError as error:
        raise Unreadable(f"{path}: its XML cannot be parsed: {error}") from error


@dataclass(slots=True)
class _Place:
    """How far a file is read, and the elements that are open there."""

    path: str
    tags: frozenset[str]
    open: list[ET.Element] = field(default_factory=list)
    record: int = 0
    """At which depth a record is open, 0 where none is."""
    inner: int = 0
    seen: int = 0

    def ended(self, parser: Parser) -> Iterator[ET.Element]:
        """The records that have ended; what is in each is forgotten when the next comes, and all else at once."""
        for event, found in parser.read_events():
            self.seen += 1
            if event == "start":
                self._begin(found)
                continue
            depth = len(self.open)
            self.open.pop()
            if local(found) in self.tags:
                yield found
                found.clear()
            if depth == self.record:
                self.record = 0
            if not self.record and self.open:
                del self.open[-1][:]

    def _begin(self, found: ET.Element) -> None:
        self.open.append(found)
        self.inner += 1
        if not self.record and local(found) in self.tags:
            self.record, self.inner = len(self.open), 0
        if len(self.open) > DEEPEST or (self.record and self.inner > MOST_INNER):
            raise Unreadable(
                f"{self.path}: its elements are more than {DEEPEST} deep, or more than {MOST_INNER} lie in one"
            )


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
