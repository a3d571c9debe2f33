"""The named chunks that an ND2 file is made of, and the map of them at its end.

chunk:  0x0ABECEDA  length of the name  length of the data  name, padded  data      4 + 4 + 8 bytes, little-endian
map:    a chunk "ND2 FILEMAP SIGNATURE NAME 0001!" of entries: name up to "!"  place of the chunk  size      8 + 8
end:    "ND2 CHUNK MAP SIGNATURE 0000001!"  place of the map                                          32 + 8 bytes
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from struct import Struct

from diascope.errors import Unreadable
from diascope.sources.nd2.pages import Pages
from diascope.stores.store import Blob

MAGIC = 0x0ABECEDA
SIGNATURE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
MAP_NAME = b"ND2 FILEMAP SIGNATURE NAME 0001!"
MAP_END = b"ND2 CHUNK MAP SIGNATURE 0000001!"

HEADER = Struct("<IIQ")
END = Struct("<32sQ")
ENTRY = re.compile(rb"([^!]{1,200}!)(.{16})", re.DOTALL)
LARGEST_MAP = 1 << 28
LONGEST_NAME = 1 << 16

FRAME = re.compile(rb"ImageDataSeq\|(\d{1,10})!")
TIME = 8
"""How many bytes of a frame's data come before its pixels."""


@dataclass(slots=True)
class Chunks:
    """Where the chunks of a file are."""

    blob: Blob
    places: dict[bytes, int]
    """By name, of those that are no frames."""
    frames: dict[int, int]
    """By number."""
    _found: dict[int, tuple[int, int]] = field(default_factory=dict)

    def frame(self, number: int) -> tuple[int, int]:
        """From where to where the pixels of a frame are in the file; raises Unreadable where no such frame is there."""
        if number not in self._found:
            start, stop = span(self.blob, self.frames[number], b"ImageDataSeq|%d!" % number)
            self._found[number] = (start + TIME, stop)
        return self._found[number]


def span(source: Blob | Pages, place: int, name: bytes) -> tuple[int, int]:
    """From where to where the data of the chunk at a place are; raises Unreadable where it has another name."""
    head = source.read(place, place + HEADER.size + len(name))
    magic, length, size = HEADER.unpack(head[: HEADER.size]) if len(head) > HEADER.size else (0, 0, 0)
    if magic != MAGIC or head[HEADER.size :] != name or length > LONGEST_NAME:
        raise Unreadable(f"{name.decode('latin-1')} is not at byte {place}, where the map of chunks has it")
    start = place + HEADER.size + length
    if start + size > source.stat.size:
        raise Unreadable(f"{name.decode('latin-1')} reaches to byte {start + size}, behind the end of the file")
    return start, start + size


def chunks(blob: Blob, pages: Pages) -> Chunks:
    """The chunks of the map; raises Unreadable where it is damaged."""
    size = blob.stat.size
    end = pages.read(max(size - END.size, 0), size)
    mark, place = END.unpack(end) if len(end) == END.size else (b"", 0)
    if mark != MAP_END:
        raise Unreadable("the map of its chunks is missing: the file was not written to its end, or is cut")
    start, stop = span(pages, place, MAP_NAME)
    if stop - start > LARGEST_MAP:
        raise Unreadable(f"a map of {stop - start} bytes is over the limit of {LARGEST_MAP}")
    found = Chunks(blob, {}, {})
    for name, numbers in _entries(pages.read(start, stop)):
        frame = FRAME.fullmatch(name)
        if frame:
            found.frames[int(frame[1])] = numbers
        else:
            found.places[name] = numbers
    return found


def _entries(data: bytes) -> list[tuple[bytes, int]]:
    listed, at = [], 0
    while not data.startswith(MAP_END, at):
        entry = ENTRY.match(data, at)
        if entry is None:
            raise Unreadable(f"the map of its chunks is damaged at its byte {at}")
        listed.append((entry[1], int.from_bytes(entry[2][:8], "little")))
        at = entry.end()
    return listed
