"""The header of an NRRD file (https://teem.sourceforge.net/nrrd/format.html).

::

    NRRD0004            the magic, with the version of the format
    # a comment
    field: description
    key:=value
                        an empty line, then the pixels; a detached header ends with its file
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.region import Ints
from diascope.sources.reading.numbers import number
from diascope.stores.store import Blob

MAGIC = re.compile(rb"NRRD000[1-9]\r?\n")
LONGEST = 1 << 22
WINDOW = 1 << 16
LINE = re.compile(rb"\r?\n")
END = re.compile(rb"\n\r?\n")
MOST_AXES = 16
LONGEST_AXIS = 1 << 40

_INTS = {
    "i1": "signed char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float",
    "f8": "double",
}
TYPES = {word: code for code, words in _INTS.items() for word in words.split("|")}

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
VECTOR = re.compile(r"none|\(([^()]*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header by their names without spaces, in lower case."""

    fields: Mapping[str, str]
    values: Mapping[str, str]
    """The keys and values."""
    files: tuple[str, ...]
    """The lines after ``data file: LIST``."""
    length: int
    """In bytes; the pixels of an attached header begin there."""

    def field(self, name: str, default: str = "") -> str:
        return self.fields.get(name, default)

    @property
    def sizes(self) -> Ints:
        """Fastest first."""
        return tuple(int(word) for word in self.field("sizes").split())

    @property
    def dtype(self) -> np.dtype[Any]:
        """In the byte order of the file."""
        code = TYPES[self.field("type").lower()]
        return np.dtype(code).newbyteorder(">" if self.field("endian").lower() == "big" else "<")

    @property
    def nbytes(self) -> int:
        return prod(self.sizes) * self.dtype.itemsize

    def words(self, name: str) -> tuple[str, ...]:
        """One word an axis, empty where nothing is told of it."""
        return self._per_axis(self.field(name).split())

    def quoted(self, name: str) -> tuple[str, ...]:
        return self._per_axis(QUOTED.findall(self.field(name)))

    def numbers(self, name: str) -> tuple[float | None, ...]:
        """One number an axis, None where none or no finite one is told."""
        return tuple(number(word) for word in self.words(name))

    def _per_axis(self, found: list[str]) -> tuple[str, ...]:
        rank = len(self.sizes)
        return tuple(found) if len(found) == rank else ("",) * rank

    def vectors(self, name: str) -> tuple[tuple[float, ...] | None, ...]:
        """Vectors in their order, None for each that is none."""
        return tuple(_vector(match[1]) for match in VECTOR.finditer(self.field(name)))


def _vector(text: str | None) -> tuple[float, ...] | None:
    numbers = [number(word) for word in text.split(",")] if text else []
    found = tuple(number for number in numbers if number is not None)
    return found if numbers and len(found) == len(numbers) else None


def header(blob: Blob) -> Header:
    """The header that a file begins with; raises Unreadable where it cannot be true."""
    data = _header_bytes(blob)
    end = END.search(data)
    length = end.end() if end else len(data)
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    files: list[str] | None = None
    for line in (each.decode("utf-8", "replace") for each in LINE.split(data[:length])[1:]):
        if files is not None:
            files += [line.strip()] if line.strip() else []
        elif not line.startswith("#"):
            _told(line, fields, values)
            files = [] if fields.get("datafile", "").upper().startswith("LIST") else None
    found = Header(fields, values, tuple(files or ()), length)
    _check(found)
    return found


def _told(line: str, fields: dict[str, str], values: dict[str, str]) -> None:
    name, colon, rest = line.partition(":")
    if colon and rest.startswith("="):
        values[name] = rest[1:].replace("\\n", "\n").replace("\\\\", "\\")
    elif colon:
        fields.setdefault(name.strip().lower().replace(" ", ""), rest.strip())


def _header_bytes(blob: Blob) -> bytes:
    """The beginning of a file up to an empty line or its end."""
    data = blob.read(0, WINDOW)
    if not MAGIC.match(data):
        raise Unreadable("it does not begin as an NRRD file does")
    while not END.search(data, max(len(data) - WINDOW - 4, 0)) and (more := blob.read(len(data), len(data) + WINDOW)):
        data += more
        if len(data) > LONGEST:
            raise Unreadable(f"its header is longer than {LONGEST} bytes")
    return data


def _check(found: Header) -> None:
    for name in ("dimension", "type", "encoding", "sizes"):
        if name not in found.fields:
            raise Unreadable(f"its header lacks the field {name!r}")
    if found.field("type").lower() not in TYPES:
        raise Unreadable(f"pixels of the type {found.field('type')!r} are not supported")
    rank = len(found.field("sizes").split())
    if not 0 < rank <= MOST_AXES or found.field("dimension") != str(rank):
        raise Unreadable(f"it declares {found.field('dimension')!r} axes and {rank} sizes")
    if not all(0 < size < LONGEST_AXIS for size in found.sizes):
        raise Unreadable(f"it declares the sizes {found.sizes}")
