"""JPEG streams that lack their tables, or say their colours elsewhere, as ones that any decoder reads alone.

ITU-T T.81, B.2 and B.5 (abbreviated formats); the colours are told by a JFIF or an Adobe marker (ITU-T T.871, T.872)::

    FFD8  APP0 "JFIF" or APP14 "Adobe"  DQT, DHT of the tables  DQT, DHT, DRI, SOF of the stream  SOS  scan  FFD9
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from diascope.sources.reading.pictures.declared import FRAMES, JPEG, START_OF_SCAN

END = b"\xff\xd9"
MOST_SEGMENTS = 64
"""Before the scan; more are no picture that is passed on."""

TABLES, QUANTISATION, HUFFMAN, RESTARTS = frozenset({0xDB, 0xC4}), 0xDB, 0xC4, 0xDD
SEQUENTIAL = frozenset({0xC0, 0xC1})
"""Baseline and extended frames, coded by Huffman's method."""
IGNORED = frozenset({*range(0xE0, 0xF0), 0xFE})
"""What applications say, such as a profile or an orientation, and comments: no pixel depends on it but by colours."""
WHOLE_SCAN = b"\0\x3f\0"
"""All coefficients at once, in full precision."""

JFIF = b"\xff\xe0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0"
ADOBE_RGB = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"

GREY, COLOURS = 1, 3
LUMA = frozenset({0x11, 0x12, 0x21, 0x22, 0x41})
"""How much finer luma may be than chroma, down and across: what every decoder knows."""


class Segment(NamedTuple):
    marker: int
    data: bytes
    """With the marker and the length."""

    @property
    def body(self) -> bytes:
        return self.data[4:]


class Head(NamedTuple):
    """What stands before the coded pixels of a stream."""

    stored: bytes
    told: bytes
    """What a decoder that knows nothing else needs in its place."""
    rows: int
    columns: int


NONE = Head(b"", b"", 0, 0)


@dataclass(slots=True, eq=False)
class Streams:
    """Streams with the same tables, such as the tiles of a page."""

    components: int
    """One of grey pictures, three of coloured ones."""
    tables: bytes | None = None
    """A stream of nothing but tables."""
    is_rgb: bool = False
    """Whether the components are red, green and blue, whatever the stream says; else it says so as libjpeg hears it."""
    _last: Head = field(default=NONE)
    """Neighbours have the same one as a rule; it is replaced at once, so that threads see one or the other."""

    def whole(self, data: bytes, rows: int, columns: int) -> bytes | None:
        """The stream with all that a decoder needs; None where it is not a plain picture of this size.

        Such are sequential, of 8 bits and one scan, with tables and an end. Coded pixels are not looked at.
        """
        head = self._last
        if not head.stored or not data.startswith(head.stored):
            found = self._head(data)
            if found is None:
                return None
            self._last = head = found
        if (head.rows, head.columns) != (rows, columns):
            return None
        # Writers fill up to a multiple of some bytes.
        if not data.endswith(END) and not data.rstrip(b"\0").endswith(END):
            return None
        return b"".join((head.told, memoryview(data)[len(head.stored) :]))

    def _head(self, data: bytes) -> Head | None:
        own = segments(data)
        shared = segments(self.tables) if self.tables else []
        if own is None or shared is None:
            return None
        # Only tables outlive a stream of tables: what else it says is forgotten when the next one starts.
        parts = [part for part in shared if part.marker in TABLES]
        parts += [part for part in own if part.marker not in IGNORED]
        frame = _frame(parts, self.components)
        if frame is None:
            return None
        colours = ADOBE_RGB if self.components == COLOURS and (self.is_rgb or _says_rgb(own, frame)) else JFIF
        stored = data[: len(JPEG) + sum(len(part.data) for part in own)]
        rows, columns = (int.from_bytes(frame.body[at : at + 2], "big") for at in (1, 3))
        return Head(stored, b"".join((JPEG, colours, *(part.data for part in parts))), rows, columns)


def segments(data: bytes) -> list[Segment] | None:
    """Up to the scan with its header, or of a stream of tables up to its end; None where they are malformed."""
    found: list[Segment] = []
    at = len(JPEG)
    while data.startswith(JPEG) and len(found) < MOST_SEGMENTS and data[at : at + 1] == b"\xff" and at + 1 < len(data):
        marker = data[at + 1]
        if data[at : at + 2] == END:
            return found
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if not at + 4 <= stop <= len(data):
            return None
        found.append(Segment(marker, data[at:stop]))
        if marker == START_OF_SCAN:
            return found
        at = stop
    return None


def _frame(parts: list[Segment], components: int) -> Segment | None:
    """The frame of a picture of 8 bits in one scan whose tables are all there; None of any other."""
    frames = [part for part in parts if part.marker in FRAMES]
    known = all(part.marker in TABLES | SEQUENTIAL | {RESTARTS, START_OF_SCAN} for part in parts)
    if len(frames) != 1 or not known or parts[-1].marker != START_OF_SCAN:
        return None
    frame, scan = frames[0].body, parts[-1].body
    if len(frame) != 6 + 3 * components or frame[0] != 8 or frame[5] != components:
        return None
    if len(scan) != 4 + 2 * components or scan[0] != components or not scan.endswith(WHOLE_SCAN):
        return None
    if scan[1:-3:2] != frame[6::3] or not _is_sampled_plainly(frame[7::3]):
        return None
    needed = {(QUANTISATION, table) for table in frame[8::3]}
    for byte in scan[2:-3:2]:
        # Of the coefficients' tables the class stands in the upper half of their number.
        needed |= {(HUFFMAN, byte >> 4), (HUFFMAN, 0x10 | byte & 15)}
    return frames[0] if needed <= _tables(parts) else None


def _is_sampled_plainly(sampling: bytes) -> bool:
    return sampling == b"\x11" if len(sampling) == GREY else sampling[0] in LUMA and sampling[1:] == b"\x11\x11"


def _tables(parts: list[Segment]) -> set[tuple[int, int]]:
    """The kinds and numbers of the tables."""
    found = set()
    for part in parts:
        body, at = part.body, 0
        while part.marker in TABLES and at < len(body):
            if part.marker == QUANTISATION:
                number, size = body[at] & 15, 65 + 64 * (body[at] >> 4)
            else:
                number, size = body[at], 17 + sum(body[at + 1 : at + 17])
            if at + size > len(body):
                return set()
            found.add((part.marker, number))
            at += size
    return found


def _says_rgb(parts: list[Segment], frame: Segment) -> bool:
    """Whether libjpeg takes three components for red, green and blue: JFIF has none, then Adobe's marker decides."""
    if any(part.marker == 0xE0 and part.body.startswith(b"JFIF\0") and len(part.body) >= 14 for part in parts):
        return False
    adobe = [part.body for part in parts if part.marker == 0xEE and part.body.startswith(b"Adobe")]
    told = [body[11] for body in adobe if len(body) >= 12]
    return told[-1] == 0 if told else frame.body[6::3] == b"RGB"
