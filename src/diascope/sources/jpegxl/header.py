"""What a JPEG XL file says before it is decoded: sizes, types and channels (ISO/IEC 18181-1, 18181-2).

A file is a codestream, or boxes of which ``jxlc`` holds it, or several ``jxlp`` hold it in parts, each behind a number
of four bytes. Its bits are read from the lowest of each byte on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diascope.errors import Unreadable
from diascope.stores.store import Blob

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
HEAD = 1 << 12
"""The first bytes of a codestream, in which its header lies."""
MOST_BOXES = 1 << 12
LARGEST_EXIF = 1 << 20

RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
OPACITY = 0
GREY = 1
LENGTHS = (9, 13, 18, 30)


@dataclass(slots=True)
class JxlHeader:
    """Of a codestream."""

    width: int
    height: int
    bits: int = 8
    exponent: int = 0
    """Bits of the exponent, zero of integers."""
    colours: int = 3
    extra: tuple[int, ...] = ()
    """The types of the other channels."""
    names: tuple[str, ...] = ()
    """Theirs."""
    orientation: int = 1
    moves: bool = False
    exif: bytes = b""


class Bits:
    """Numbers out of the bits of a codestream."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def number(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise Unreadable("the header is cut off")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

    def flag(self) -> bool:
        return bool(self.number(1))

    def chosen(self, ways: Sequence[tuple[int, int]]) -> int:
        """One of four ways, each a number to which one of so many bits is added."""
        base, count = ways[self.number(2)]
        return base + self.number(count)

    def enumerated(self) -> int:
        return self.chosen(((0, 0), (1, 0), (2, 4), (18, 6)))


def jxl_header(blob: Blob) -> JxlHeader:
    """Raises Unreadable where it is cut off, or no such file."""
    first = blob.read(0, 12)
    if first.startswith(CODESTREAM):
        return _header(Bits(blob.read(2, HEAD)))
    if not first.startswith(CONTAINER):
        raise Unreadable("it does not begin as JPEG XL does")
    stream, exif = _boxes(blob)
    if not stream.startswith(CODESTREAM):
        raise Unreadable("there is no codestream in its boxes")
    found = _header(Bits(stream[2:]))
    found.exif = exif
    return found


def _boxes(blob: Blob) -> tuple[bytes, bytes]:
    """The beginning of the codestream, and the EXIF data."""
    at, end, stream, exif = 0, blob.stat.size, b"", b""
    for _ in range(MOST_BOXES):
        head = blob.read(at, at + 16)
        size = int.from_bytes(head[:4], "big")
        begin = 16 if size == 1 else 8
        size = int.from_bytes(head[8:16], "big") if size == 1 else size or end - at
        if len(head) < 8 or size < begin:
            break
        start, stop = at + begin, min(at + size, end)
        skipped = {b"jxlc": 0, b"jxlp": 4}.get(head[4:8])
        if skipped is not None and len(stream) < HEAD:
            stream += blob.read(start + skipped, min(stop, start + skipped + HEAD))
        elif head[4:8] == b"Exif" and stop - start <= LARGEST_EXIF:
            data = blob.read(start, stop)
            exif = b"Exif\0\0" + data[4 + int.from_bytes(data[:4], "big") :]
        at += size
    return stream, exif


def _header(bits: Bits) -> JxlHeader:
    width, height = _size(bits)
    found = JxlHeader(width, height)
    if bits.flag():
        return found
    if bits.flag():
        found.orientation = 1 + bits.number(3)
        if bits.flag():
            _size(bits)
        if bits.flag():
            _skip_preview(bits)
        found.moves = bits.flag()
        if found.moves:
            _skip_animation(bits)
    found.bits, found.exponent = _depth(bits)
    bits.flag()
    count = bits.chosen(((0, 0), (1, 0), (2, 4), (1, 12)))
    channels = [_channel(bits) for _ in range(count)]
    found.extra, found.names = tuple(kind for kind, _ in channels), tuple(name for _, name in channels)
    bits.flag()  # whether colours are stored as XYB
    if not bits.flag():
        bits.flag()  # whether there is an ICC profile
        found.colours = 1 if bits.enumerated() == GREY else 3
    return found


def _size(bits: Bits) -> tuple[int, int]:
    """Width and height."""
    small = bits.flag()
    height = _length(bits, small)
    ratio = bits.number(3)
    if not ratio:
        return _length(bits, small), height
    across, down = RATIOS[ratio - 1]
    return height * across // down, height


def _length(bits: Bits, small: bool) -> int:
    if small:
        return 8 * (1 + bits.number(5))
    return 1 + bits.number(LENGTHS[bits.number(2)])


def _skip_preview(bits: Bits) -> None:
    by_eight = bits.flag()
    ways = ((16, 0), (32, 0), (1, 5), (33, 9)) if by_eight else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.chosen(ways)
    if not bits.number(3):
        bits.chosen(ways)


def _skip_animation(bits: Bits) -> None:
    bits.chosen(((100, 0), (1000, 0), (1, 10), (1, 30)))
    bits.chosen(((1, 0), (1001, 0), (1, 8), (1, 10)))
    bits.chosen(((0, 0), (0, 3), (0, 16), (0, 32)))
    bits.flag()


def _depth(bits: Bits) -> tuple[int, int]:
    """Bits of a sample, and of its exponent."""
    if bits.flag():
        depth = bits.chosen(((32, 0), (16, 0), (24, 0), (1, 6)))
        return depth, 1 + bits.number(4)
    return bits.chosen(((8, 0), (10, 0), (12, 0), (1, 6))), 0


def _channel(bits: Bits) -> tuple[int, str]:
    """Type and name."""
    if bits.flag():
        return OPACITY, ""
    kind = bits.enumerated()
    _depth(bits)
    bits.chosen(((0, 0), (3, 0), (4, 0), (1, 3)))
    count = bits.chosen(((0, 0), (0, 4), (16, 5), (48, 10)))
    name = bytes(bits.number(8) for _ in range(count)).decode("utf-8", "replace")
    if kind == OPACITY:
        bits.flag()
    elif kind == 2:
        bits.number(4 * 16)
    elif kind == 5:
        bits.chosen(((1, 0), (0, 2), (3, 4), (19, 8)))
    return kind, name
