"""Directories of little-endian TIFF files, classic and BigTIFF.

TIFF 6.0, https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf, section 2, and for the other form
https://www.awaresystems.be/imaging/tiff/bigtiff.html::

    classic   header       "II" 42 | first directory: u4
              directory    entries: u2 | 12 bytes each | next directory: u4 | values that no entry has room for
              entry        tag: u2 | type: u2 | count: u4 | values, or where they lie: 4 bytes

    BigTIFF   header       "II" 43 | 8: u2 | 0: u2 | first directory: u8
              directory    entries: u8 | 20 bytes each | next directory: u8 | values that no entry has room for
              entry        tag: u2 | type: u2 | count: u8 | values, or where they lie: 8 bytes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from struct import pack

import numpy as np

from diascope.tree.runs import Run

ASCII, SHORT, LONG, RATIONAL, IFD, LONG8, IFD8 = 2, 3, 4, 5, 13, 16, 18


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: its values, or where in the file they lie."""

    tag: int
    type: int
    count: int
    values: bytes = b""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """Classic TIFF or BigTIFF."""

    word: int
    """The bytes of an offset, and of the values that an entry has room for: 4 or 8."""

    @property
    def largest(self) -> int:
        """The size of the largest file; that of a BigTIFF is what signed offsets reach, which Java's readers have."""
        return 2**32 - 1 if self.word == 4 else 2**63 - 1

    @property
    def offset_type(self) -> int:
        return LONG if self.word == 4 else LONG8

    @property
    def directory_type(self) -> int:
        return IFD if self.word == 4 else IFD8

    def header(self) -> bytes:
        """The first bytes of a file whose first directory follows them."""
        return pack("<2sHI", b"II", 42, 8) if self.word == 4 else pack("<2sHHHQ", b"II", 43, 8, 0, 16)

    def offsets(self, tag: int, type_: int, values: Iterable[int]) -> Entry:
        """An entry of places in the file."""
        packed = [value.to_bytes(self.word, "little") for value in values]
        return Entry(tag, type_, len(packed), b"".join(packed))

    def directory(self, entries: Iterable[Entry], at: int, following: int) -> bytes:
        """A directory that lies ``at`` this place, a multiple of 8 bytes long; its length depends on neither place."""
        ordered = sorted(entries, key=lambda entry: entry.tag)
        counter = 2 if self.word == 4 else 8
        head = bytearray(len(ordered).to_bytes(counter, "little"))
        values = bytearray()
        values_at = at + counter + len(ordered) * (4 + 2 * self.word) + self.word
        for entry in ordered:
            head += pack("<HH", entry.tag, entry.type) + entry.count.to_bytes(self.word, "little")
            if entry.at is not None:
                head += entry.at.to_bytes(self.word, "little")
            elif len(entry.values) <= self.word:
                head += entry.values.ljust(self.word, b"\0")
            else:
                head += (values_at + len(values)).to_bytes(self.word, "little")
                values += entry.values + bytes(len(entry.values) % 2)
        directory = bytes(head) + following.to_bytes(self.word, "little") + bytes(values)
        return directory + bytes(-len(directory) % 8)


CLASSIC, BIG = Form(4), Form(8)


def short(tag: int, *values: int) -> Entry:
    return Entry(tag, SHORT, len(values), pack(f"<{len(values)}H", *values))


def long(tag: int, *values: int) -> Entry:
    return Entry(tag, LONG, len(values), pack(f"<{len(values)}I", *values))


def text(tag: int, value: str) -> Entry:
    encoded = value.encode() + b"\0"
    return Entry(tag, ASCII, len(encoded), encoded)


def rational(tag: int, value: float) -> Entry | None:
    """A positive number to about nine digits, None where two integers of 32 bits cannot say it."""
    if not 0 < value < 2**32 - 1:
        return None
    ratio = Fraction(value).limit_denominator(max(1, int((2**32 - 1) / (value + 1))))
    return Entry(tag, RATIONAL, 1, pack("<2I", ratio.numerator, ratio.denominator)) if ratio else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Integers of each plane, each ``step`` more than the one before, of which no more are made than a range needs."""

    count: int
    """Of a plane."""
    item_size: int
    first: Callable[[int], int]
    """The first of a plane."""
    step: int

    @property
    def size(self) -> int:
        """The bytes of those of a plane."""
        return self.count * self.item_size

    def read(self, plane: int, start: int, stop: int) -> bytes:
        """The bytes from start to stop of those of a plane."""
        low, high = start // self.item_size, -(-stop // self.item_size)
        made = np.arange(low, high, dtype=np.uint64) * np.uint64(self.step) + np.uint64(self.first(plane))
        return made.astype(f"<u{self.item_size}").tobytes()[start - low * self.item_size : stop - low * self.item_size]

    def run(self, planes: int) -> Run:
        return Run(planes, self.size, self.read)
