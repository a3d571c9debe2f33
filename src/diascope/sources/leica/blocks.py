"""The XML and the memory blocks of LIF and LOF files (Leica Image File Formats 3.2).

LIF:    0x70  length  0x2A  characters  XML in UTF-16                               4 + 4 + 1 + 4 bytes
block:  0x70  length  0x2A  size of the memory  0x2A  characters  name  memory      size: 4 bytes, of version 2 on 8
LOF:    0x70  length  0x2A  characters  "LMS_Object_File"  0x2A  major  0x2A  minor  0x2A  size  memory  XML as LIF
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from diascope.errors import Unreadable
from diascope.stores.store import Blob

HEAD = Struct("<IIBI")
OLD_BLOCK = Struct("<IIBIBI")
BLOCK = Struct("<IIBQBI")
OBJECT = Struct("<BIBIBQ")
MARK, TEXT = 0x70, 0x2A

OBJECT_FILE = "LMS_Object_File"
LARGEST_XML = 1 << 29
LONGEST_NAME = 1 << 12
MOST_BLOCKS = 1 << 20


@dataclass(frozen=True, slots=True)
class Memory:
    """The bytes of one image, or of all its tiles."""

    start: int
    size: int
    """As the file declares it."""
    there: int
    """How many of them the file has."""


def is_binary(first: bytes) -> bool:
    """Whether bytes begin as a LIF or a LOF file."""
    if len(first) < HEAD.size + 32:
        return False
    mark, length, text, count = HEAD.unpack(first[: HEAD.size])
    known = ("<LMSDataContainer".encode("utf-16-le"), OBJECT_FILE.encode("utf-16-le"))
    starts = first[HEAD.size :].startswith(known)
    return bool(mark == MARK and text == TEXT and length == 2 * count + 5 and starts)


def text_at(blob: Blob, at: int) -> tuple[str, int]:
    """A text and where it ends."""
    head = blob.read(at, at + HEAD.size)
    if len(head) < HEAD.size:
        raise Unreadable(f"the file ends at byte {at}, where a text should be")
    mark, _, text, count = HEAD.unpack(head)
    start, stop = at + HEAD.size, at + HEAD.size + 2 * count
    if mark != MARK or text != TEXT or stop > blob.stat.size:
        raise Unreadable(f"there is no text at byte {at}")
    if stop - start > LARGEST_XML:
        raise Unreadable(f"{stop - start} bytes of metadata are over the limit of {LARGEST_XML}")
    return blob.read(start, stop).decode("utf-16-le", "replace"), stop


def object_memory(blob: Blob, at: int) -> tuple[Memory, int]:
    """The memory of a LOF file, behind its first text, and where it ends."""
    head = blob.read(at, at + OBJECT.size)
    if len(head) < OBJECT.size:
        raise Unreadable("it ends before its memory")
    one, _, two, _, three, size = OBJECT.unpack(head)
    if {one, two, three} != {TEXT}:
        raise Unreadable(f"there is no memory at byte {at}")
    found = _memory(blob, at + OBJECT.size, size)
    return found, found.start + found.there


def memories(blob: Blob, at: int, version: int) -> dict[str, Memory]:
    """The blocks of a LIF file by name, up to one that is cut; what stands behind the last is no block."""
    form = OLD_BLOCK if version < 2 else BLOCK
    found: dict[str, Memory] = {}
    while len(found) < MOST_BLOCKS:
        head = blob.read(at, at + form.size)
        if len(head) < form.size:
            return found
        mark, _, one, size, two, count = form.unpack(head)
        if mark != MARK or one != TEXT or two != TEXT or count > LONGEST_NAME:
            return found
        start = at + form.size + 2 * count
        name = blob.read(at + form.size, start).decode("utf-16-le", "replace")
        found[name] = _memory(blob, start, size)
        at = start + size
    raise Unreadable(f"it has more than {MOST_BLOCKS} memory blocks")


def _memory(blob: Blob, start: int, size: int) -> Memory:
    return Memory(start, size, max(min(size, blob.stat.size - start), 0))
