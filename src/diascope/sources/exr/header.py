"""The headers of OpenEXR files (https://openexr.com/en/latest/OpenEXRFileLayout.html).

Little-endian; texts end with a zero ::

    76 2f 31 01   version 1, flags 3
    header        attributes: name, type, size 4, value; an empty name ends it; of several parts as many headers,
                  the last one empty
    offsets, pixels
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from diascope.errors import Unreadable
from diascope.image.region import Ints
from diascope.stores.store import Blob

MAGIC = b"\x76\x2f\x31\x01"
LARGEST_HEADER = 1 << 22
MOST_PARTS = 1000
MOST_CHANNELS = 4096
MULTIPART, DEEP = 0x10, 0x08
"""Of the second byte after the magic number, which begins with the bit 8."""

TYPES = ("uint32", "float16", "float32")

COMPRESSIONS = ("none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB", "HTJ2K256", "HTJ2K32")


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    dtype: str
    sampling: Ints
    """Along y and x: one of so many pixels is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A header."""

    name: str
    channels: tuple[Channel, ...]
    start: Ints
    """Of the pixels that are stored, y and x."""
    stop: Ints
    compression: str
    texts: dict[str, str]

    def shape(self, sampling: Ints) -> Ints:
        """Of the channels with this sampling: those pixels whose places it divides."""
        ends = zip(self.start, self.stop, sampling, strict=True)
        return tuple((stop - 1) // step - -(-start // step) + 1 for start, stop, step in ends)


def parts(blob: Blob) -> tuple[Part, ...]:
    """Raises Unreadable where a header is broken, or of deep data."""
    data = blob.read(0, min(LARGEST_HEADER, blob.stat.size))
    if not data.startswith(MAGIC) or len(data) < 9:
        raise Unreadable("it does not begin as OpenEXR does")
    if data[5] & DEEP:
        raise Unreadable("deep pixels, of which each has samples of its own, are not supported")
    found, at = [], 8
    for _ in range(MOST_PARTS):
        if data[at : at + 1] == b"\0":
            break
        part, at = _part(data, at)
        found.append(part)
        if not data[5] & MULTIPART:
            break
    return tuple(found)


def _part(data: bytes, at: int) -> tuple[Part, int]:
    attributes: dict[str, tuple[str, bytes]] = {}
    while data[at : at + 1] != b"\0":
        name, at = _text(data, at)
        kind, at = _text(data, at)
        if at + 4 > len(data):
            raise Unreadable("a header is cut off")
        size = int.from_bytes(data[at : at + 4], "little")
        if at + 4 + size > len(data):
            raise Unreadable("a header is cut off")
        attributes[name] = kind, data[at + 4 : at + 4 + size]
        at += 4 + size
    try:
        low_x, low_y, high_x, high_y = struct.unpack("<4i", attributes["dataWindow"][1])
        compression = attributes["compression"][1][0]
    except (KeyError, IndexError, struct.error) as error:
        raise Unreadable("a header lacks its dataWindow or compression") from error
    if high_x < low_x or high_y < low_y:
        raise Unreadable("a dataWindow is empty")
    texts = {name: value.decode("utf-8", "replace") for name, (kind, value) in attributes.items() if kind == "string"}
    return Part(
        name=texts.pop("name", ""),
        channels=_channels(attributes.get("channels", ("", b""))[1]),
        start=(low_y, low_x),
        stop=(high_y + 1, high_x + 1),
        compression=COMPRESSIONS[compression] if compression < len(COMPRESSIONS) else str(compression),
        texts=texts,
    ), at + 1


def _text(data: bytes, at: int) -> tuple[str, int]:
    stop = data.find(b"\0", at, at + 256)
    if stop < 0:
        raise Unreadable("a header is cut off")
    return data[at:stop].decode("utf-8", "replace"), stop + 1


def _channels(data: bytes) -> tuple[Channel, ...]:
    """Name, then type 4, linear 1, spare 3, sampling along x 4, along y 4."""
    found: list[Channel] = []
    at = 0
    while data[at : at + 1] not in (b"", b"\0") and len(found) < MOST_CHANNELS:
        name, at = _text(data, at)
        if at + 16 > len(data):
            raise Unreadable("the list of channels is cut off")
        kind, across, down = struct.unpack_from("<i4x2i", data, at)
        if not 0 <= kind < len(TYPES) or across < 1 or down < 1:
            raise Unreadable(f"the channel {name[:40]!r} is of no type that there is")
        found.append(Channel(name, TYPES[kind], (down, across)))
        at += 16
    if not found:
        raise Unreadable("a header has no channels")
    return tuple(found)
