"""A look over a chunk of metadata before it is decoded: nothing becomes larger or slower than a file excuses.

value:   type  length of the name  name in UTF-16  the rest by type             1 + 1 byte
level:   number of values  length with its head  values  a table                4 + 8 bytes, 8 for each value
packed:  10 bytes  zlib, whose content replaces the value
"""

from __future__ import annotations

import zlib

from diascope.errors import Unreadable

SIZES = {1: 1, 2: 4, 3: 4, 4: 8, 5: 8, 6: 8, 7: 8}
TEXT, BYTES, LEVEL, PACKED = 8, 9, 11, 76

LARGEST = 1 << 25
"""A chunk is no longer than this, unpacked."""
DEEPEST = 60
LONGEST_TEXTS = 1 << 34
"""Texts are decoded in a time that grows as the square of their length: the sum of these squares is no more."""


def check(name: str, data: bytes) -> None:
    """Raise Unreadable where decoding a chunk would take too much."""
    if len(data) > LARGEST:
        raise Unreadable(f"{name} has {len(data)} bytes, which is over the limit of {LARGEST}")
    if data[:1] == b"<":
        if b"<!" in data:
            raise Unreadable(f"{name} declares a document type, which no such chunk does")
        return
    try:
        _Look(name).values(data, 1, 0)
    except (IndexError, ValueError, zlib.error) as error:
        raise Unreadable(f"{name} is damaged") from error


class _Look:
    def __init__(self, name: str) -> None:
        self.name = name
        self.texts = 0
        self.unpacked = 0

    def values(self, data: bytes, count: int, depth: int) -> None:
        if depth > DEEPEST:
            raise Unreadable(f"{self.name} is more than {DEEPEST} levels deep")
        at = 0
        for _ in range(count):
            if at >= len(data):
                return
            kind, length = data[at], data[at + 1]
            if kind == PACKED:
                self.values(self._unpacked(data[at + 12 :]), 1, depth + 1)
                return
            at = self._value(data, at, at + 2 + 2 * length, depth)

    def _value(self, data: bytes, head: int, at: int, depth: int) -> int:
        """Where the value ends."""
        kind = data[head]
        if kind in SIZES:
            return at + SIZES[kind]
        if kind == TEXT:
            return self._text(data, at)
        if kind == BYTES:
            stop = at + 8 + int.from_bytes(data[at : at + 8], "little")
            self._nested(data[at + 8 : stop], depth)
            return stop
        if kind != LEVEL:
            return at
        count = int.from_bytes(data[at : at + 4], "little")
        stop = head + int.from_bytes(data[at + 4 : at + 12], "little")
        if stop < at + 12:
            raise ValueError(stop)
        self.values(data[at + 12 : stop], count, depth + 1)
        return stop + 8 * count

    def _text(self, data: bytes, at: int) -> int:
        stop = data.find(b"\0\0", at)
        while stop >= 0 and (stop - at) % 2:
            stop = data.find(b"\0\0", stop + 1)
        stop = len(data) if stop < 0 else stop + 2
        self.texts += (stop - at) ** 2
        if self.texts > LONGEST_TEXTS:
            raise Unreadable(f"{self.name} has texts of unreasonable length")
        return stop

    def _nested(self, data: bytes, depth: int) -> None:
        """Bytes that look like values are decoded as such, and stay bytes where that fails."""
        if len(data) >= 4 and (data[0] == PACKED or (1 <= data[0] <= LEVEL and data[1] >= 2)):
            try:
                self.values(data, 1, depth + 1)
            except (IndexError, ValueError, zlib.error):
                return

    def _unpacked(self, data: bytes) -> bytes:
        content = zlib.decompressobj().decompress(data, LARGEST - self.unpacked + 1)
        self.unpacked += len(content)
        if self.unpacked > LARGEST:
            raise Unreadable(f"{self.name} unpacks to more than {LARGEST} bytes")
        return content
