"""The chain of image file directories, walked before anything else is believed (TIFF 6.0, section 2).

classic   II|MM 42 first:4      count:2  tags:12 each  next:4
NDPI      II    42 first:8      count:2  tags:12 each  next:8
BigTIFF   II|MM 43 8 0 first:8  count:8  tags:20 each  next:8
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from diascope.errors import Unreadable
from diascope.stores.store import Blob

MAX_PAGES = 250_000
"""More directories than this are refused: parsing them takes minutes."""

MAX_TAGS = 4096
"""More tags in one directory are no TIFF, as tifffile has it."""

MAX_SUB_DIRECTORIES = 1024
"""More of them below one directory are refused: each may be the same one, which costs a file four bytes."""

SUB_DIRECTORIES = 330
WINDOW = 4096


class _Layout(NamedTuple):
    first: int
    """Where the offset of the first directory stands."""
    tags: Struct
    tag: int
    next: Struct
    subs: Struct
    """Of a tag the code, the type and the count."""


def check_chain(blob: Blob, name: str) -> int:
    """The number of directories; raises Unreadable where there is none, or where the chain has no end."""
    layout = _layout(blob.read(0, 16), name)
    file = _Window(blob)
    seen: set[int] = set()
    offset = file.number(layout.first, layout.next)
    while offset and offset < blob.stat.size:
        if offset in seen:
            raise Unreadable(f"{name}: its chain of {len(seen)} image directories leads back into itself")
        if len(seen) == MAX_PAGES:
            raise Unreadable(f"{name}: more than {MAX_PAGES} image directories")
        seen.add(offset)
        if _sub_directories(file, offset, layout) > MAX_SUB_DIRECTORIES:
            raise Unreadable(f"{name}: more than {MAX_SUB_DIRECTORIES} image directories below one")
        offset = _next(file, offset, layout)
    if not seen:
        raise Unreadable(f"{name}: a TIFF file without an image directory")
    return len(seen)


@dataclass(slots=True, eq=False)
class _Window:
    """The bytes around the last place that was looked at: directories are small and often lie together."""

    blob: Blob
    start: int = 0
    data: bytes = b""

    def number(self, at: int, form: Struct) -> int:
        """The number that stands at this place, 0 behind the end of the file."""
        data = self.bytes(at, form.size)
        return int(form.unpack(data)[0]) if len(data) == form.size else 0

    def bytes(self, at: int, size: int) -> bytes:
        """So many bytes from this place on, fewer at the end of the file."""
        if not self.start <= at <= self.start + len(self.data) - size:
            self.start, self.data = at, self.blob.read(at, at + max(size, WINDOW))
        return self.data[at - self.start : at - self.start + size]


def _next(file: _Window, offset: int, layout: _Layout) -> int:
    """The offset of the directory after this one, 0 where there is none that can be read."""
    tags = file.number(offset, layout.tags)
    return file.number(offset + layout.tags.size + tags * layout.tag, layout.next) if tags <= MAX_TAGS else 0


def _sub_directories(file: _Window, offset: int, layout: _Layout) -> int:
    """How many directories stand below one, as it says."""
    tags = min(file.number(offset, layout.tags), MAX_TAGS)
    data = file.bytes(offset + layout.tags.size, tags * layout.tag)
    code = layout.subs.pack(SUB_DIRECTORIES, 0, 0)[:2]
    at = data.find(code)
    while at % layout.tag and at >= 0:
        at = data.find(code, at + 1)
    return int(layout.subs.unpack_from(data, at)[2]) if 0 <= at <= len(data) - layout.tag else 0


def _layout(head: bytes, name: str) -> _Layout:
    order = {b"II": "<", b"MM": ">", b"EP": "<"}.get(head[:2])
    if order is None or len(head) < 8:
        raise Unreadable(f"{name}: no TIFF file, it begins with {head[:4]!r}")
    if 43 in (head[2], head[3]):
        return _Layout(8, Struct(order + "Q"), 20, Struct(order + "Q"), Struct(order + "HHQ"))
    if name.lower().endswith(".ndpi") and order == "<":
        return _Layout(4, Struct("<H"), 12, Struct("<Q"), Struct("<HHI"))
    return _Layout(4, Struct(order + "H"), 12, Struct(order + "I"), Struct(order + "HHI"))
