"""The segments of a CZI file.

Every segment begins with 32 bytes, and its data follow::

    id:16  allocated:8  used:8

    ZISRAWFILE      major:4 minor:4 -:8 primary guid:16 guid:16 part:4 directory:8 metadata:8 updating:4 attachments:8
    ZISRAWMETADATA  size of XML:4 size of attachment:4 -:248  XML
    ZISRAWATTDIR    count:4 -:252  entries of 128 bytes
    ZISRAWATTACH    size:4 -:12 entry:128 -:112  data
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack

from diascope.errors import Unreadable
from diascope.stores.store import Blob

MAGIC = b"ZISRAWFILE\0\0\0\0\0\0"
HEADER = 32
"""Bytes before the data of a segment."""

SKIPPED = 256
"""Bytes of a fixed size before the content of the segments of metadata and attachments."""

FILE_SIZE = 80
LONGEST_XML = 1 << 25
ATTACHMENT = 128
MOST_ATTACHMENTS = 1 << 12


@dataclass(frozen=True, slots=True)
class FileHeader:
    """Where the parts of a file begin, 0 where it lacks one."""

    directory: int
    metadata: int
    attachments: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file within the file."""

    name: str
    kind: str
    """The ending of a file of that kind, ``JPG`` or ``CZI``, in upper case."""
    position: int


def file_header(blob: Blob) -> FileHeader:
    """Raises Unreadable where the file is none of this format, or a part of several files."""
    data = blob.read(0, HEADER + FILE_SIZE)
    if len(data) < HEADER + FILE_SIZE or not data.startswith(MAGIC):
        raise Unreadable("it does not begin with the header of a CZI file")
    major, _, part, directory, metadata, _, attachments = unpack("<ii8x16x16xiqqiq", data[HEADER:])
    if major != 1:
        raise Unreadable(f"version {major} of CZI is not supported")
    if part:
        raise Unreadable(f"it is part {part} of an image in several files, which is not supported")
    if not directory:
        raise Unreadable("it has no directory of its pixels: its writing was not finished")
    return FileHeader(directory, metadata, attachments)


def segment(blob: Blob, position: int, kind: bytes, size: int) -> bytes:
    """The first bytes of the data of a segment of this kind; raises Unreadable where there is none, or fewer."""
    inside = 0 <= position <= blob.stat.size - HEADER - size
    data = blob.read(position, position + HEADER + size) if inside else b""
    if len(data) < HEADER + size or data[:16].rstrip(b"\0") != kind:
        raise Unreadable(f"there is no {kind.decode()} at byte {position} of {blob.stat.size}")
    return data[HEADER:]


def xml(blob: Blob, header: FileHeader) -> str:
    """The document of its metadata, empty where it has none."""
    if not header.metadata:
        return ""
    (size,) = unpack("<i", segment(blob, header.metadata, b"ZISRAWMETADATA", 4))
    if not 0 <= size <= LONGEST_XML:
        raise Unreadable(f"metadata of {size} bytes are over the limit of {LONGEST_XML}")
    data = segment(blob, header.metadata, b"ZISRAWMETADATA", SKIPPED + size)[SKIPPED:]
    return data.decode("utf-8", "replace").rstrip("\0").removeprefix("\ufeff").strip()


def attachments(blob: Blob, header: FileHeader) -> list[Attachment]:
    """What lies beside the image."""
    if not header.attachments:
        return []
    (count,) = unpack("<i", segment(blob, header.attachments, b"ZISRAWATTDIR", 4))
    if not 0 <= count <= MOST_ATTACHMENTS:
        raise Unreadable(f"it cannot have {count} attachments")
    data = segment(blob, header.attachments, b"ZISRAWATTDIR", SKIPPED + count * ATTACHMENT)[SKIPPED:]
    return [_attachment(data[at : at + ATTACHMENT]) for at in range(0, count * ATTACHMENT, ATTACHMENT)]


def _attachment(entry: bytes) -> Attachment:
    position, kind, name = unpack("<2x10xq4x16x8s80s", entry)
    return Attachment(_text(name), _text(kind).upper(), position)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")


def attached(blob: Blob, attachment: Attachment) -> tuple[int, int]:
    """Where the bytes of an attachment start and stop."""
    (size,) = unpack("<i", segment(blob, attachment.position, b"ZISRAWATTACH", 4))
    start = attachment.position + HEADER + SKIPPED
    if not 0 <= size <= blob.stat.size - start:
        raise Unreadable(f"an attachment of {size} bytes at {start} lies beyond the end of the file")
    return start, start + size
