"""The central directory of a zip file (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 to 4.3.16).

::

    members   each with a header of its own
    headers of the central directory
    the record of ZIP64 and its locator, where a number is too large for 16 or 32 bits
    the end record, and a comment

It is read once. Of a file that could be understood in two ways nothing is read: names that are there twice, members
that lie in one another, directories that do not end where the end record begins.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.stores.store import Blob

END = struct.Struct("<4s4H2LH")
LOCATOR = struct.Struct("<4sLQL")
END_64 = struct.Struct("<4sQ2H2L4Q")
HEADER = struct.Struct("<4s6H3L5H2L")
LOCAL_SIZE = 30
"""Of the header of a member, without its name and what comes after that."""

LONGEST_COMMENT = 1 << 16
LARGEST_DIRECTORY = 1 << 28
LONGEST_NAME = 1 << 10
MANY_16, MANY_32 = 0xFFFF, 0xFFFFFFFF
ZIP64 = 1
"""Of the fields after a name."""

STORED, DEFLATED = 0, 8
ENCRYPTED = 0x1 | 0x40 | 0x2000
HIGHEST_RATIO = 1032
"""Deflate makes at most so many bytes out of one."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a zip file."""

    method: int
    flags: int
    checksum: int
    packed: int
    """How many bytes it has there."""
    size: int
    start: int
    """Of its header."""
    stop: int
    """Of the next member, or of the directory."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Members by name; their numbers stand in rows of an array, as there may be millions."""

    places: dict[str, int]
    rows: NDArray[Any]

    def member(self, name: str) -> Member | None:
        place = self.places.get(name)
        return None if place is None else Member(*self.rows[place].tolist())


def directory(blob: Blob) -> Directory:
    """All of the members but folders; raises Unreadable with the reason."""
    count, start, stop = _place(blob)
    data = blob.read(start, stop)
    if len(data) != stop - start or count * HEADER.size > len(data):
        raise Unreadable(f"the directory of {count} members is cut off")
    places: dict[str, int] = {}
    numbers: list[int] = []
    at = 0
    for _ in range(count):
        if at + HEADER.size > len(data):
            raise Unreadable(f"the directory of {count} members is cut off")
        fields = HEADER.unpack_from(data, at)
        magic, _, _, flags, method, _, _, checksum, packed, size, named, more, noted, disk, _, _, begin = fields
        name = data[at + HEADER.size : at + HEADER.size + named]
        if magic != b"PK\1\2" or disk not in (0, MANY_16) or len(name) != named:
            raise Unreadable("its directory is broken, or it is a part of several files")
        at += HEADER.size + named
        if MANY_32 in (packed, size, begin):
            packed, size, begin = _wide(data[at : at + more], packed, size, begin)
        at += more + noted
        if not name.endswith(b"/"):
            text = _checked(name, flags)
            if text in places:
                raise Unreadable(f"{text[:100]!r} is in the zip file twice")
            places[text] = len(places)
            numbers += (method, flags, checksum, packed, size, begin)
    return Directory(places, _rows(numbers, start))


def _place(blob: Blob) -> tuple[int, int, int]:
    """How many members there are, and from where to where their directory goes."""
    size = blob.stat.size
    begin = max(0, size - END.size - LONGEST_COMMENT - LOCATOR.size)
    tail = blob.read(begin, size)
    at = tail.rfind(b"PK\5\6", 0, len(tail) - END.size + 4)
    while at >= 0 and at + END.size + END.unpack_from(tail, at)[7] != len(tail):
        at = tail.rfind(b"PK\5\6", 0, at + 3)  # a comment may hold these letters
    if at < 0:
        raise Unreadable("it is cut off, or no zip file: the end of its directory is missing")
    _, disk, first_disk, _, count, length, start, _ = END.unpack_from(tail, at)
    end = begin + at
    if disk not in (0, MANY_16) or first_disk not in (0, MANY_16):
        raise Unreadable("it is a part of several files")
    if at >= LOCATOR.size and tail[at - LOCATOR.size : at - LOCATOR.size + 4] == b"PK\6\7":
        _, _, record, _ = LOCATOR.unpack_from(tail, at - LOCATOR.size)
        data = blob.read(min(record, size), min(record, size) + END_64.size)
        if len(data) != END_64.size or data[:4] != b"PK\6\6":
            raise Unreadable("its record of ZIP64 is missing")
        _, own, _, _, disk, first_disk, _, count, length, start = END_64.unpack(data)
        end = begin + at - LOCATOR.size
        if disk or first_disk or record + own + 12 != end:
            raise Unreadable("its record of ZIP64 is not where it should be, or it is a part of several files")
        end = record
    if length > LARGEST_DIRECTORY or start + length != end:
        raise Unreadable(f"its directory of {length} bytes at {start} does not end where it should, at {end}")
    return count, start, end


def _wide(extra: bytes, *numbers: int) -> list[int]:
    """The numbers with those that 32 bits cannot hold, which stand behind the name in their order."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + length]
        if kind == ZIP64:
            wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            found = [next(wide, None) if number == MANY_32 else number for number in numbers]
            if any(number is None or number >= 1 << 62 for number in found):
                break
            return [int(number or 0) for number in found]
        at += 4 + length
    raise Unreadable("a member's size is told by ZIP64, and it is not there")


def _checked(name: bytes, flags: int) -> str:
    """A name, which may not lead anywhere else."""
    text = name.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    is_odd = len(name) > LONGEST_NAME or "\\" in text or "\0" in text
    if is_odd or any(part in {"", ".", ".."} for part in text.split("/")):
        raise Unreadable(f"{text[:100]!r} is no name of a file in a zip file")
    return text


def _rows(numbers: list[int], end: int) -> NDArray[Any]:
    """Of members: method, flags, checksum, bytes packed and unpacked, start, and where the next one starts."""
    table = np.array(numbers, np.int64).reshape(-1, 6)
    order = np.argsort(table[:, 5], kind="stable")
    starts = table[order, 5]
    stops = np.append(starts[1:], end)[: len(starts)]
    if np.any(starts + LOCAL_SIZE + table[order, 3] > stops):
        raise Unreadable("members of the zip file lie in one another, or beyond its directory")
    rows = np.column_stack([table, np.zeros(len(table), np.int64)])
    rows[order, 6] = stops
    return rows
