"""One DICOM file: the elements that are wanted of it, and where its pixels stand (DICOM PS3.10 and PS3.5).

Elements that name a person are never read.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from diascope.bounded import Part, reader_cache
from diascope.errors import Changed, NotFound, Unreadable
from diascope.optional import library
from diascope.sources.dicom.tags import WANTED
from diascope.sources.source import HEAD_SIZE
from diascope.stores.store import Blob, Stat, Store

PREAMBLE = 128
MAGIC = b"DICM"

IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)
NATIVE = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})
"""The transfer syntaxes whose pixels are not encapsulated."""

PIXELS = {0x7FE00008: "float32", 0x7FE00009: "float64", 0x7FE00010: ""}
"""The elements that hold pixels: Float Pixel Data, Double Float Pixel Data, and Pixel Data."""

FIRST_PIXELS = min(PIXELS)

LONG_TYPES = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"})
LONGEST_UID = 64
MOST_META = 100
"""Elements that the head of a file has at most, behind which its other elements begin."""

UNKNOWN = 0xFFFFFFFF
"""A length that only the end of a value tells."""

LARGEST_HEADER = 1 << 27
"""More than so many bytes of elements are refused."""

LARGEST_INFLATED = 1 << 28
_inflated: Part[bytes] = Part(reader_cache, weigh=len)

READ_AT_ONCE = 1 << 13


class Place(NamedTuple):
    """Where the pixels of a file stand."""

    start: int
    """Of the value of the element."""
    size: int | None
    """Of the value, None where it is encapsulated."""
    floats: str
    """``float32`` or ``float64`` where they are not integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """What was read of a file."""

    path: str
    stat: Stat
    syntax: str
    """The UID of its transfer syntax."""
    data: Any
    """pydicom's data set of the elements that are wanted."""
    place: Place | None
    """None where it has no pixels."""
    open: Callable[[], Blob]

    @property
    def is_little_endian(self) -> bool:
        return self.syntax != BIG_ENDIAN


class Header(io.RawIOBase):
    """The bytes of a blob as the file that pydicom parses: a lying length never costs more than the file has."""

    def __init__(self, blob: Blob, start: int = 0) -> None:
        super().__init__()
        self._blob = blob
        self._at = start
        self._first = 0
        self._page = b""
        self._left = LARGEST_HEADER

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._blob.stat.size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._blob.stat.size
        stop = min(self._at + size, end) if size >= 0 else end
        if stop <= self._at:
            return b""
        if not (self._first <= self._at and stop <= self._first + len(self._page)):
            self._fill(stop)
        data = self._page[self._at - self._first : stop - self._first]
        self._at += len(data)
        return data

    def _fill(self, stop: int) -> None:
        page = max(stop, min(self._at + READ_AT_ONCE, self._blob.stat.size))
        self._left -= page - self._at
        if self._left < 0:
            raise Unreadable(f"its elements are longer than {LARGEST_HEADER} bytes")
        self._page = self._blob.read(self._at, page)
        self._first = self._at


class Bytes:
    """Bytes in memory as a blob."""

    def __init__(self, data: bytes, stat: Stat) -> None:
        self._data = data
        self.stat = Stat(is_folder=False, size=len(data), version=stat.version)

    def read(self, start: int, stop: int) -> bytes:
        return self._data[start : max(start, stop)]


def is_dicom(first: bytes) -> bool:
    """Whether a file begins as DICOM: with a preamble, or at once with elements of the groups 2 or 8."""
    return first[PREAMBLE : PREAMBLE + 4] == MAGIC or _is_bare(first)


def _is_bare(first: bytes) -> bool:
    """Three elements in order, of known groups and plausible lengths, in little endian."""
    at, before = 0, 0
    for _ in range(3):
        tag = int.from_bytes(first[at : at + 2], "little") << 16 | int.from_bytes(first[at + 2 : at + 4], "little")
        size = _bare_length(first[at + 4 : at + 12])
        if tag >> 16 not in {2, 8} or tag <= before or size is None or at + size > len(first):
            return False
        at, before = at + size, tag
    return True


def _bare_length(header: bytes) -> int | None:
    """Of a whole element, of which these are the type and the length; None where they are none."""
    if header[:2] in LONG_TYPES:
        return None
    is_explicit = header[:2].isalpha() and header[:2].isupper()
    size = int.from_bytes(header[2:4] if is_explicit else header[:4], "little")
    return 8 + size if size < 256 and size % 2 == 0 and len(header) == 8 else None


@cache
def pydicom() -> Any:
    """The parser of pydicom; raises Unavailable with what installs it."""
    return library("pydicom.filereader", "dicom")


def instance(store: Store, path: str, *, held: bool = True) -> Instance:
    """What stands in a file; where it is not held it is opened again for its pixels, and refused once it has changed.

    Raises Unreadable where it is no DICOM file.
    """
    blob = store.open(path)
    stat = blob.stat
    start = _start(blob.read(0, HEAD_SIZE))
    header = Header(blob, start)
    syntax = _syntax(header)
    if syntax == DEFLATED:
        after = header.tell()
        plain: Blob = Bytes(_inflate(blob, after), stat)
        data, place = _elements(Header(plain), syntax)
        key = (path, stat.version, after)
        return Instance(
            path, stat, syntax, data, place, lambda: Bytes(_kept(key, _reopened(store, path, stat), after), stat)
        )
    data, place = _elements(header, syntax)
    again = (lambda: blob) if held else (lambda: _reopened(store, path, stat))
    return Instance(path, stat, syntax, data, place, again)


def _start(first: bytes) -> int:
    if not is_dicom(first):
        raise Unreadable("it does not begin as DICOM")
    return PREAMBLE + 4 if first[PREAMBLE : PREAMBLE + 4] == MAGIC else 0


def _reopened(store: Store, path: str, stat: Stat) -> Blob:
    try:
        blob = store.open(path)
    except NotFound:
        raise Changed(f"{path} is gone since it was opened") from None
    if blob.stat.version != stat.version:
        raise Changed(f"{path} has changed since it was opened")
    return blob


def _syntax(header: Header) -> str:
    """The UID, told by the elements of group 2; else what the first element looks like. The header is then behind them.

    An element is its tag, two letters of its type and its length in two bytes, or in four behind two zeros.
    """
    found = ""
    for _ in range(MOST_META):
        start = header.tell()
        first = header.read(8)
        if first[:2] != b"\2\0":
            header.seek(start)
            return found or (EXPLICIT if first[4:6].isalpha() else IMPLICIT)
        is_long = first[4:6] in LONG_TYPES
        length = int.from_bytes(header.read(4) if is_long else first[6:8], "little")
        if first[2:4] == b"\x10\0":
            found = header.read(min(length, LONGEST_UID)).rstrip(b"\0 ").decode("ascii", "replace")
        header.seek(start + (12 if is_long else 8) + length)
    raise Unreadable(f"its head has more than {MOST_META} elements")


def _elements(header: Header, syntax: str) -> tuple[Any, Place | None]:
    met: list[tuple[int, int]] = []

    def is_pixels(tag: int, _vr: str | None, length: int) -> bool:
        number = int(tag)
        if number in PIXELS:
            met.append((number, length))
        return number >= FIRST_PIXELS

    data = pydicom().read_dataset(
        header, syntax == IMPLICIT, syntax != BIG_ENDIAN, stop_when=is_pixels, specific_tags=list(WANTED)
    )
    if not met:
        return data, None
    tag, length = met[-1]
    return data, _place(header, tag, length, big=syntax == BIG_ENDIAN)


def _place(header: Header, tag: int, length: int, *, big: bool) -> Place:
    """Of the element that begins where the header is: tag and length, or tag, type, two zeros and length."""
    start = header.tell()
    raw = header.read(8)
    order: Any = "big" if big else "little"
    is_long = raw[4:8] in {b"OB\0\0", b"OW\0\0", b"OF\0\0", b"OD\0\0", b"UN\0\0"}
    if not is_long and int.from_bytes(raw[4:8], order) != length:
        raise Unreadable("the element of its pixels has no length")
    return Place(start + (12 if is_long else 8), None if length == UNKNOWN else length, PIXELS[tag])


def _inflate(blob: Blob, start: int) -> bytes:
    inflater = zlib.decompressobj(wbits=-15)
    try:
        data = inflater.decompress(blob.read(start, blob.stat.size), LARGEST_INFLATED)
    except zlib.error as error:
        raise Unreadable(f"its elements cannot be inflated: {error}") from error
    if inflater.unconsumed_tail:
        raise Unreadable(f"its elements are deflated from more than {LARGEST_INFLATED} bytes")
    return data


def _kept(key: tuple[str, str, int], blob: Blob, start: int) -> bytes:
    return _inflated.get(key, lambda: _inflate(blob, start))
