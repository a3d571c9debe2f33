"""Any file as gzip that is not smaller: its size is known by arithmetic, and any range of it is made alone.

RFC 1952 and 1951, section 3.2.4; little-endian. One member for each 256 MiB, as some readers know one member only, and
in it stored blocks ::

    0   10        1f 8b 08 00, no time, 00 ff
    10  1         01 for the last block of the member, else 00
    11  2  2      n, how many bytes the block has (65,535 but in the last one), and the complement of that
    15  n         the bytes
        …
        4         their CRC-32
        4         how many they are

A CRC takes all the bytes of a member. It is made as they go by; who asks for it out of turn waits until the rest of the
member has been read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from threading import Lock
from zlib import crc32

from diascope.tree.file import File
from diascope.tree.runs import Run, concatenated

MEDIA_TYPE = "application/gzip"

HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
BLOCK_HEAD = Struct("<BHH")
TAIL = Struct("<II")

BLOCK = 65_535
"""Bytes that a stored block can have."""
STORED = BLOCK_HEAD.size + BLOCK
BLOCKS = 4096
"""In a member."""
STEP = 64 * BLOCK
"""Bytes that are read at once for a CRC."""


def gzipped(content: File, blocks: int = BLOCKS) -> File:
    """The gzip of a file whose size is known and not zero, with so many blocks in a member."""
    if not content.size:
        raise ValueError("the file is empty, or only its bytes tell its size")
    full, rest = divmod(content.size, blocks * BLOCK)
    members = _Members(content, blocks * BLOCK)
    runs = concatenated([members.run(0, full, blocks * BLOCK), members.run(full, 1 if rest else 0, rest)])
    return File(media_type=MEDIA_TYPE, size=runs.length, read=runs.read)


def _body_size(size: int) -> int:
    """Of the blocks that have so many bytes."""
    return size + -(-size // BLOCK) * BLOCK_HEAD.size


@dataclass(slots=True)
class _Members:
    """The members of a gzip, each of the same number of the content's bytes but the last."""

    content: File
    step: int
    _checked: dict[int, tuple[int, int]] = field(default_factory=dict)
    """How many bytes of a member have gone by, and their CRC."""
    _lock: Lock = field(default_factory=Lock)

    def run(self, first: int, count: int, size: int) -> Run:
        """So many members of so many bytes each."""
        length = len(HEAD) + _body_size(size) + TAIL.size
        return Run(count, length, lambda piece, start, stop: self._part(first + piece, size, start, stop))

    def _part(self, member: int, size: int, start: int, stop: int) -> bytes:
        body, tail = len(HEAD), len(HEAD) + _body_size(size)
        parts = [HEAD[start:stop]]
        if max(start, body) < min(stop, tail):
            parts.append(self._blocks(member, size, max(start, body) - body, min(stop, tail) - body))
        if stop > tail:
            # How many bytes there are is known without the CRC before it.
            check = self._crc(member, size) if start < tail + 4 else 0
            parts.append(TAIL.pack(check, size)[max(start - tail, 0) : stop - tail])
        return b"".join(parts)

    def _blocks(self, member: int, size: int, start: int, stop: int) -> bytes:
        """The bytes from start to stop of the blocks of a member, for which no more of the content is read."""
        first, last = start // STORED, (stop - 1) // STORED
        begin = first * BLOCK + max(0, start - first * STORED - BLOCK_HEAD.size)
        end = min(size, last * BLOCK + max(0, stop - last * STORED - BLOCK_HEAD.size))
        data = self._read(member, begin, end)
        joined = b"".join(_stored(data, begin, size, first, last))
        skipped = start - first * STORED if begin == first * BLOCK else BLOCK_HEAD.size
        return joined[skipped : skipped + stop - start]

    def _read(self, member: int, start: int, stop: int) -> bytes:
        """The content's bytes from start to stop within a member."""
        if start >= stop:
            return b""
        data = self.content.read(member * self.step + start, member * self.step + stop)
        with self._lock:
            seen, check = self._checked.get(member, (0, 0))
            if start <= seen < stop:
                self._checked[member] = stop, crc32(memoryview(data)[seen - start :], check)
        return data

    def _crc(self, member: int, size: int) -> int:
        while True:
            with self._lock:
                seen, check = self._checked.get(member, (0, 0))
            if seen == size:
                return check
            self._read(member, seen, min(seen + STEP, size))


def _stored(data: bytes, begin: int, size: int, first: int, last: int) -> Iterator[bytes]:
    """Some blocks of a member of so many bytes, of which ``data`` are those from ``begin`` on."""
    for block in range(first, last + 1):
        count = min(BLOCK, size - block * BLOCK)
        yield BLOCK_HEAD.pack(block * BLOCK + count == size, count, count ^ 0xFFFF)
        yield data[max(0, block * BLOCK - begin) : max(0, (block + 1) * BLOCK - begin)]
