"""The tree of tags that a DM3 or DM4 file is (http://www.er-c.org/cbb/info/dmformat/).

version  length of the root  1: data are little-endian    DM3: 4 + 4 + 4 bytes, DM4: 4 + 8 + 4, big-endian
group:   sorted  open  number of tags                     1 + 1 + 4 (DM4: 8)
tag:     20 group or 21 data  length of name  name  [DM4: length of the tag, 8 bytes]
data:    "%%%%"  number of infos  infos  values           infos of 4 (DM4: 8) bytes, big-endian
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import calcsize, unpack
from typing import Any, BinaryIO, TypeAlias

from diascope.errors import Unreadable

Tree: TypeAlias = dict[str, Any]

GROUP, DATA = 20, 21
STRUCT, STRING, ARRAY = 15, 18, 20
CODES = {2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "b", 11: "q", 12: "Q"}
"""The simple types, as the module struct has them."""

WIDTHS = {3: 4, 4: 8}
"""How many bytes counts have, by the version."""

DEEPEST = 64
MOST_TAGS = 1 << 20
MOST_INFOS = 1 << 10
LONGEST_TEXT = 1 << 14
"""An array of no more numbers of 16 bits is text."""

PIXELS = "Data"
"""Unless it has this name."""


@dataclass(frozen=True, slots=True)
class Array:
    """Values that are read when somebody wants them."""

    start: int
    """Where they begin in the file."""
    count: int
    itemsize: int

    @property
    def nbytes(self) -> int:
        return self.count * self.itemsize


@dataclass(frozen=True, slots=True)
class Document:
    """A file's tags."""

    version: int
    is_little: bool
    """Whether numbers in the data are little-endian."""
    tags: Tree


def document(file: BinaryIO, size: int) -> Document:
    """The tags of a file of this size; raises Unreadable where they are broken. Tags without a name are numbered."""
    version = int.from_bytes(file.read(4), "big")
    if version not in WIDTHS:
        raise Unreadable(f"version {version} is neither DM3 nor DM4")
    file.seek(WIDTHS[version], 1)
    little = int.from_bytes(file.read(4), "big")
    if little not in {0, 1}:
        raise Unreadable(f"{little} is no byte order of a DM{version}")
    reader = _Reader(file, size, WIDTHS[version], "<" if little else ">")
    return Document(version, bool(little), reader.group(0))


@dataclass(slots=True)
class _Reader:
    file: BinaryIO
    size: int
    width: int
    """How many bytes counts and infos have."""
    order: str
    left: int = MOST_TAGS

    def group(self, depth: int) -> Tree:
        if depth > DEEPEST:
            raise Unreadable(f"its tags are more than {DEEPEST} groups deep")
        self._bytes(2)
        count = self._number(self.width)
        self.left -= count
        if count > self.size or self.left < 0:
            raise Unreadable(f"it has more than {MOST_TAGS} tags")
        found: Tree = {}
        for k in range(count):
            kind = self._number(1)
            name = self._bytes(self._number(2)).decode("latin-1") or str(k)
            if self.width == 8:
                self._number(8)
            if kind not in {GROUP, DATA}:
                raise Unreadable(f"{kind} is no kind of tag")
            found[name] = self.group(depth + 1) if kind == GROUP else self._data(name != PIXELS)
        return found

    def _data(self, may_be_text: bool) -> Any:
        if self._bytes(4) != b"%%%%":
            raise Unreadable(f"there is no tag before byte {self.file.tell()}")
        count = self._number(self.width)
        if not 0 < count <= MOST_INFOS:
            raise Unreadable(f"a tag has {count} numbers that tell its type")
        infos = [self._number(self.width) for _ in range(count)]
        kind = infos[0]
        if kind in CODES:
            return self._values(CODES[kind], 1)[0]
        readers: dict[int, Callable[[list[int]], Any]] = {
            STRUCT: self._struct,
            STRING: self._string,
            ARRAY: lambda infos: self._array(infos, may_be_text),
        }
        if kind not in readers:
            raise Unreadable(f"{kind} is no type of a tag")
        try:
            return readers[kind](infos)
        except IndexError as error:
            raise Unreadable(f"a tag of the type {kind} is told by {count} numbers") from error

    def _struct(self, infos: list[int]) -> Any:
        return self._values(_fields(infos), 1)

    def _string(self, infos: list[int]) -> str:
        if infos[1] > LONGEST_TEXT:
            raise Unreadable(f"a tag has a text of {infos[1]} bytes")
        return self._bytes(infos[1]).decode("utf-8", "replace")

    def _array(self, infos: list[int], may_be_text: bool) -> Any:
        code = CODES.get(infos[1]) or _fields(infos[1:-1])
        array = Array(self.file.tell(), infos[-1], calcsize(f"={code}"))
        if array.count < 0 or array.start + array.nbytes > self.size:
            raise Unreadable(f"{self.size} bytes cannot hold an array of {array.count} at {array.start}")
        if may_be_text and code == "H" and array.count <= LONGEST_TEXT:
            encoding = "utf-16-le" if self.order == "<" else "utf-16-be"
            return self._bytes(array.nbytes).decode(encoding, "replace")
        self.file.seek(array.nbytes, 1)
        return array

    def _values(self, codes: str, count: int) -> tuple[Any, ...]:
        form = self.order + codes * count
        return unpack(form, self._bytes(calcsize(form)))

    def _number(self, width: int) -> int:
        return int.from_bytes(self._bytes(width), "big", signed=width > 2)

    def _bytes(self, count: int) -> bytes:
        data = self.file.read(count) if 0 <= count <= self.size else b""
        if len(data) < count or count < 0:
            raise Unreadable(f"its tags end at byte {self.file.tell()} in the middle of one")
        return data


def _fields(infos: list[int]) -> str:
    """The types of a structure's fields: 15, length of name, number of fields, then the length of a name and a type."""
    if infos[0] != STRUCT or infos[2] * 2 + 3 > len(infos):
        raise Unreadable(f"a structure is told by {len(infos)} numbers")
    codes = [CODES.get(infos[4 + 2 * k]) for k in range(infos[2])]
    if None in codes or not codes:
        raise Unreadable("a structure has fields of unknown types")
    return "".join(code for code in codes if code)
