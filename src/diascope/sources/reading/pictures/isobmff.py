"""What is told of pictures in the boxes of HEIF and AVIF, before anything is decoded.

ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (items and their properties), https://aomediacodec.github.io/av1-avif/ ::

    ftyp   brands
    meta   pitm   the number of the picture among the items
           iinf   the types of items            iref   which item belongs to which
           iloc   where the bytes of items are  iprp   ipco properties, ipma which item has which
    moov   tracks of frames
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from diascope.errors import Unreadable
from diascope.image.metadata import LARGEST_PROFILE
from diascope.stores.store import Blob

LARGEST_BOX = 1 << 23
MOST_BOXES = 1 << 16
LARGEST_EXIF = 1 << 20

TURNS = {
    (0, None): 1, (0, 1): 2, (2, None): 3, (0, 0): 4, (1, 0): 5, (3, None): 6, (3, 0): 7, (1, None): 8,
    (1, 1): 7, (3, 1): 5, (2, 1): 4, (2, 0): 2,
}  # fmt: skip
"""The orientation of EXIF by quarter turns to the left, and the axis of the mirror after them."""


class Box(NamedTuple):
    kind: bytes
    data: bytes


@dataclass(slots=True)
class Header:
    """What a file says of its picture."""

    brand: bytes = b""
    width: int = 0
    height: int = 0
    depth: int = 8
    """Bits of a sample."""
    is_grey: bool = False
    has_opacity: bool = False
    turns: int = 0
    """Quarter turns to the left."""
    mirror: int | None = None
    exif: bytes = b""
    icc: bytes | None = None
    frames: int = 1
    items: dict[int, list[Box]] = field(default_factory=dict)

    @property
    def orientation(self) -> int:
        return TURNS.get((self.turns, self.mirror), 1)


def header(blob: Blob) -> Header:
    """Raises Unreadable where there is no picture."""
    found = Header()
    for kind, start, stop in _top(blob):
        if kind == b"ftyp":
            found.brand = blob.read(start, start + 4)
        elif kind in (b"meta", b"moov"):
            if stop - start > LARGEST_BOX:
                raise Unreadable(f"{stop - start} bytes of metadata are more than the {LARGEST_BOX} that are read")
            data = blob.read(start, stop)
            if kind == b"meta":
                _meta(found, data[4:], blob)
            elif found.brand == b"avis":
                _movie(found, data)
    if not found.width or not found.height:
        raise Unreadable("no box tells how large the picture is")
    if found.frames > blob.stat.size:
        raise Unreadable(f"{blob.stat.size} bytes cannot hold {found.frames} frames")
    return found


def _top(blob: Blob) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and stop of what is in each box of the file."""
    at, end = 0, blob.stat.size
    for _ in range(MOST_BOXES):
        head = blob.read(at, at + 16)
        if len(head) < 8:
            return
        size, begin = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, begin = int.from_bytes(head[8:], "big"), 16
        size = size or end - at
        if size < begin or at + size > end:
            raise Unreadable(f"the box {head[4:8]!r} at byte {at} reaches over the end of the file")
        yield head[4:8], at + begin, at + size
        at += size


def boxes(data: bytes) -> Iterator[Box]:
    """Those in a box, as far as they are whole."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big") or len(data) - at
        if size < 8 or at + size > len(data):
            return
        yield Box(data[at + 4 : at + 8], data[at + 8 : at + size])
        at += size


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise Unreadable("a box ends before what it should hold")
    return int.from_bytes(data[at : at + size], "big")


def _meta(found: Header, data: bytes, blob: Blob) -> None:
    parts = {box.kind: box.data for box in boxes(data)}
    if b"pitm" not in parts or b"iprp" not in parts:
        return
    pitm = parts[b"pitm"]
    primary = _number(pitm, 4, 4 if pitm[:1] > b"\0" else 2)
    found.items = _properties(parts[b"iprp"])
    references = list(_references(parts.get(b"iref", b"")))
    first = next((to[0] for kind, start, to in references if kind == b"dimg" and start == primary and to), None)
    for box in [*found.items.get(first or -1, ()), *found.items.get(primary, ())]:
        _property(found, box)
    for kind, start, to in references:
        urns = [box.data for box in found.items.get(start, ()) if box.kind == b"auxC"]
        if kind == b"auxl" and primary in to and any(b"alpha" in urn or b"auxid:1" in urn for urn in urns):
            found.has_opacity = True
    exifs = [item for item, kind in _kinds(parts.get(b"iinf", b"")) if kind == b"Exif"]
    described = [start for kind, start, to in references if kind == b"cdsc" and primary in to and start in exifs]
    if described and b"iloc" in parts:
        found.exif = _exif(blob, parts[b"iloc"], described[0])


def _property(found: Header, box: Box) -> None:
    data = box.data
    if box.kind == b"ispe":
        found.width, found.height = _number(data, 4, 4), _number(data, 8, 4)
    elif box.kind == b"pixi":
        depths = data[5 : 5 + data[4]] if len(data) > 4 else b""
        found.depth, found.is_grey = max(depths, default=8), len(depths) == 1
    elif box.kind == b"av1C" and len(data) > 2:
        # tier 1, high_bitdepth 1, twelve_bit 1, monochrome 1, subsampling 4
        found.depth = 12 if data[2] & 0x20 else 10 if data[2] & 0x40 else 8
        found.is_grey = bool(data[2] & 0x10)
    elif box.kind == b"irot" and data:
        found.turns = data[0] & 3
    elif box.kind == b"imir" and data:
        found.mirror = data[0] & 1
    elif box.kind == b"colr" and data[:4] in (b"prof", b"rICC") and 4 < len(data) <= LARGEST_PROFILE:
        found.icc = data[4:]


def _properties(iprp: bytes) -> dict[int, list[Box]]:
    """The properties of each item, in the order in which they are told."""
    parts = list(boxes(iprp))
    every = [box for part in parts if part.kind == b"ipco" for box in boxes(part.data)]
    items: dict[int, list[Box]] = {}
    for ipma in (part.data for part in parts if part.kind == b"ipma"):
        wide_item, wide = (4 if ipma[:1] > b"\0" else 2), (2 if _number(ipma, 3, 1) & 1 else 1)
        at = 8
        for _ in range(min(_number(ipma, 4, 4), len(ipma))):
            item, count = _number(ipma, at, wide_item), _number(ipma, at + wide_item, 1)
            at += wide_item + 1
            mask = (1 << 8 * wide - 1) - 1  # the highest bit tells whether it must be understood
            places = [_number(ipma, at + k * wide, wide) & mask for k in range(count)]
            at += count * wide
            items.setdefault(item, []).extend(every[k - 1] for k in places if 0 < k <= len(every))
    return items


def _references(iref: bytes) -> Iterator[tuple[bytes, int, list[int]]]:
    """What kind, from which item, to which."""
    wide = 4 if iref[:1] > b"\0" else 2
    for box in boxes(iref[4:]):
        count = _number(box.data, wide, 2)
        yield box.kind, _number(box.data, 0, wide), [_number(box.data, wide * (k + 1) + 2, wide) for k in range(count)]


def _kinds(iinf: bytes) -> Iterator[tuple[int, bytes]]:
    """The number and the type of each item."""
    for box in boxes(iinf[8 if iinf[:1] > b"\0" else 6 :]):
        wide = 4 if box.data[:1] > b"\2" else 2
        yield _number(box.data, 4, wide), box.data[6 + wide : 10 + wide]


def _exif(blob: Blob, iloc: bytes, wanted: int) -> bytes:
    """The EXIF data of an item that lies in the file in one piece, none where it does not."""
    version = _number(iloc, 0, 1)
    sizes = _number(iloc, 4, 2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide, at = (4, 10) if version == 2 else (2, 8)
    for _ in range(min(_number(iloc, 6, wide), len(iloc))):
        item = _number(iloc, at, wide)
        at += wide
        method = _number(iloc, at, 2) & 15 if version else 0
        at += 4 if version else 2
        base = _number(iloc, at, base_size)
        count = _number(iloc, at + base_size, 2)
        at += base_size + 2
        extent = (index_size if version else 0) + offset_size + length_size
        if item == wanted and count == 1 and not method:
            at += index_size if version else 0
            start, length = base + _number(iloc, at, offset_size), _number(iloc, at + offset_size, length_size)
            data = blob.read(start, start + length) if length <= LARGEST_EXIF and start < blob.stat.size else b""
            return b"Exif\0\0" + data[4 + int.from_bytes(data[:4], "big") :] if data else b""
        at += count * extent
    return b""


def _movie(found: Header, moov: bytes) -> None:
    """The frames of the track of pictures, and their size where nothing else tells it."""
    for track in (box.data for box in boxes(moov) if box.kind == b"trak"):
        media = _inside(_inside(track, b"mdia"), b"hdlr")
        if media[8:12] not in (b"pict", b"vide"):
            continue
        table = _inside(_inside(_inside(track, b"mdia"), b"minf"), b"stbl")
        sizes, entry = _inside(table, b"stsz"), _inside(table, b"stsd")
        found.frames = max(_number(sizes, 8, 4), 1)
        if not found.width:
            found.width, found.height = _number(entry, 40, 2), _number(entry, 42, 2)
        return


def _inside(data: bytes, kind: bytes) -> bytes:
    return next((box.data for box in boxes(data) if box.kind == kind), b"")
