"""What a JPEG 2000 file says before it is decoded (ISO/IEC 15444-1, https://www.itu.int/rec/T-REC-T.800)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from diascope.errors import Unreadable
from diascope.image.metadata import LARGEST_PROFILE
from diascope.stores.store import Blob

SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
"""The first box of a JP2 file (I.5.1)."""

START = b"\xff\x4f\xff\x51"
"""The markers SOC and SIZ, with which every codestream begins (A.4)."""

COD, SOT, SOD, EOC = 0xFF52, 0xFF90, 0xFF93, 0xFFD9
PROFILED = (b"\2", b"\3")
"""Methods of telling colours by an ICC profile (I.5.3.3, and ISO/IEC 15444-2 M.11.7.3)."""
MOST_BOXES = 10_000
MOST_COMPONENTS = 16_384


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a codestream."""

    precision: int
    signed: bool
    across: int
    """Every how many columns of the reference grid it has a sample."""
    down: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """The main header (A.5) as far as it matters here."""

    start: tuple[int, int]
    """x and y where the image begins on the reference grid."""
    stop: tuple[int, int]
    components: tuple[Component, ...]
    at: int
    """Where it begins in the file."""
    decompositions: int
    """How often the size may be halved."""

    def size(self, halvings: int = 0) -> tuple[int, int]:
        """Width and height of a component; they are rounded up, as the transform does (B.5)."""
        component = self.components[0]
        steps = (component.across << halvings, component.down << halvings)
        width, height = (-(-b // step) - -(-a // step) for a, b, step in zip(self.start, self.stop, steps, strict=True))
        return width, height


@dataclass(frozen=True, slots=True, kw_only=True)
class Jp2:
    """A codestream and what the boxes around it say; none of that where it stands alone."""

    codestream: Codestream
    colour_space: int | None = None
    """16 sRGB, 17 grey, 18 sYCC (I.5.3.3)."""
    icc: bytes | None = None
    palette_columns: int = 0
    boxes: tuple[str, ...] = field(default=())


def jp2(blob: Blob) -> Jp2:
    """Raises Unreadable where the file is no JPEG 2000."""
    if blob.read(0, 4) == START:
        return Jp2(codestream=_codestream(blob, 0))
    colour_space = icc = None
    columns = 0
    names = []
    for name, start, stop in _boxes(blob, 0, blob.stat.size):
        names.append(name.decode("latin-1"))
        if name == b"jp2h":
            for inner, first, last in _boxes(blob, start, stop):
                if inner == b"colr" and colour_space is None and icc is None:
                    # method 1, precedence 1, approximation 1, enumerated space 4 or a profile
                    data = blob.read(first, min(last, first + 7))
                    colour_space = int.from_bytes(data[3:], "big") if data[:1] == b"\1" else None
                    profiled = data[:1] in PROFILED and last - first - 3 <= LARGEST_PROFILE
                    icc = blob.read(first + 3, last) if profiled else None
                elif inner == b"pclr":
                    # entries 2, columns 1
                    columns = int.from_bytes(blob.read(first + 2, first + 3), "big")
        elif name == b"jp2c":
            stream = _codestream(blob, start)
            return Jp2(
                codestream=stream, colour_space=colour_space, icc=icc, palette_columns=columns, boxes=tuple(names)
            )
    raise Unreadable("a JPEG 2000 file without a codestream")


def _boxes(blob: Blob, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stop of the content of each box (I.4)."""
    for _ in range(MOST_BOXES):
        # length 4, name 4, and where the length is 1 the real one 8
        head = blob.read(start, min(start + 16, stop))
        if len(head) < 8:
            return
        size, skipped = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, skipped = int.from_bytes(head[8:16], "big"), 16
        end = stop if size == 0 else start + size
        if end < start + skipped or end > stop:
            raise Unreadable(f"the box {head[4:8]!r} at byte {start} reaches over what it lies in")
        yield head[4:8], start + skipped, end
        start = end


def _codestream(blob: Blob, at: int) -> Codestream:
    # SOC 2, SIZ 2, length 2, capabilities 2, stop 8, start 8, tile size 8, tile start 8, components 2,
    # and of each component: precision less one and sign 1, sampling 1 across and 1 down
    head = blob.read(at, at + 42)
    if len(head) < 42 or head[:4] != START:
        raise Unreadable("a JPEG 2000 codestream without its header")
    numbers = [int.from_bytes(head[k : k + 4], "big") for k in range(8, 24, 4)]
    count = int.from_bytes(head[40:42], "big")
    size = int.from_bytes(head[4:6], "big")
    data = blob.read(at + 42, at + 42 + 3 * count)
    if not 0 < count <= MOST_COMPONENTS or len(data) < 3 * count or size != 38 + 3 * count:
        raise Unreadable(f"a JPEG 2000 codestream of {count} components")
    components = tuple(
        Component((depth & 0x7F) + 1, bool(depth & 0x80), across, down)
        for depth, across, down in zip(data[::3], data[1::3], data[2::3], strict=True)
    )
    if any(not (each.across and each.down) for each in components):
        raise Unreadable("a JPEG 2000 component with no samples")
    (x1, y1, x0, y0) = numbers
    stream = Codestream(
        start=(x0, y0),
        stop=(x1, y1),
        components=components,
        at=at,
        decompositions=_decompositions(blob, at + 4 + size),
    )
    if min(stream.size()) < 1:
        raise Unreadable(f"a JPEG 2000 codestream from {(x0, y0)} to {(x1, y1)}")
    return stream


def _decompositions(blob: Blob, at: int) -> int:
    """Of the marker segment COD (A.6.1), 0 where it is missing."""
    while len(head := blob.read(at, at + 10)) == 10:
        # marker 2, length 2, style 1, progression 1, layers 2, transform of components 1, decompositions 1
        marker, size = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")
        if marker == COD:
            return min(head[9], 32)
        if marker in (SOT, SOD) or marker < 0xFF00 or size < 2:
            break
        at += 2 + size
    return 0


def check_whole(data: bytes, at: int) -> None:
    """Raise Unreadable where a codestream ends before its last tile-part does (A.4.2); not every decoder does."""
    at += 2
    while at + 2 <= len(data):
        # SOT 2, length 2, tile 2, length of the tile-part from SOT on 4; other segments: marker 2, length 2
        marker = int.from_bytes(data[at : at + 2], "big")
        if marker == EOC:
            return
        size = int.from_bytes(data[at + 2 : at + 4], "big") + 2
        if marker == SOT:
            size = int.from_bytes(data[at + 6 : at + 10], "big") or len(data.rstrip(b"\0")) - 2 - at
        if size < 4:
            break
        at += size
    if at == len(data):
        return
    raise Unreadable("the JPEG 2000 codestream is cut, or its tiles do not follow one another")
