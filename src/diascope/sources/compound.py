"""Compound files: streams by name in one file (https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb).

header:  magic  class  versions  byte order  sizes of sectors as powers of two  ...                512 bytes
sectors of one size follow; the table of sectors has for each the number of the next one of its stream.
entry:   name  length  kind  ...  first sector  size of a stream                                   128 bytes
A stream shorter than a limit lies in small sectors, which are cut from the stream of the root entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct

from diascope.bounded import BoundedCache
from diascope.errors import Unreadable
from diascope.stores.store import Blob

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEADER = Struct("<8x16xHHHHH6xIIIIIIIII")
FIRST_TABLES = 76
"""Where the header has the places of the first sectors of the table."""
TABLES = 109

ENTRY = Struct("<64sHB1x12x16x4x16xIQ")
STREAM, ROOT = 2, 5
LAST = 0xFFFFFFFA
"""Numbers of sectors are less than this or equal."""

SMALL = 6
"""Small sectors have two to the power of this many bytes."""

MOST_ENTRIES = 1 << 20
HELD = 1 << 22
"""How many bytes of the table are kept."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Where one begins, in sectors or in small ones, and how many bytes it has."""

    start: int
    size: int


class CompoundFile:
    """The streams of a file; many threads may read. Names are in lower case, and of the stream alone."""

    def __init__(self, blob: Blob) -> None:
        head = blob.read(0, 512)
        if not head.startswith(MAGIC) or len(head) < 512:
            raise Unreadable("it does not begin as a compound file")
        numbers = HEADER.unpack(head[: HEADER.size])
        _, major, order, power, small = numbers[:5]
        _, tables, directory, _, limit, small_table, _, more, _ = numbers[5:]
        if (major, power) not in {(3, 9), (4, 12)} or order != 0xFFFE or (small, limit) != (SMALL, 4096):
            raise Unreadable(
                f"a compound file of version {major} with sectors of 2 to the {power} bytes is not supported"
            )
        self._blob, self._power, self._limit = blob, power, limit
        self._small_table = small_table
        self._places = self._tables(head, tables, more)
        self._pages: BoundedCache[bytes] = BoundedCache(HELD, weigh=len)
        self.streams, self._root = self._entries(directory, major)

    def read(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes of a stream from start to stop; raises Unreadable where it is missing or broken."""
        if name not in self.streams:
            raise Unreadable(f"the stream {name} is missing")
        stream = self.streams[name]
        stop = stream.size if stop is None else min(stop, stream.size)
        if stream.size >= self._limit:
            return self._sectors(stream, start, stop)
        return b"".join(self._small(stream, start, stop))

    def _sectors(self, stream: Stream, start: int, stop: int) -> bytes:
        parts = []
        for begin, end in self._spans(self._chain(stream, self._power, self._next), self._power, start, stop):
            base = 1 << self._power
            data = self._blob.read(base + begin, base + end)
            if len(data) < end - begin:
                raise Unreadable(f"the file ends at byte {base + begin + len(data)}, within a stream")
            parts.append(data)
        return b"".join(parts)

    def _small(self, stream: Stream, start: int, stop: int) -> Iterator[bytes]:
        for begin, end in self._spans(self._chain(stream, SMALL, self._next_small), SMALL, start, stop):
            yield self._sectors(self._root, begin, end)

    @staticmethod
    def _spans(chain: Iterator[int], power: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """From where to where the bytes from start to stop of a chain are, those that follow each other as one."""
        size, at, found = 1 << power, 0, (0, 0)
        for sector in chain:
            begin, end = sector * size + max(start - at, 0), sector * size + min(stop - at, size)
            at += size
            if found[1] == begin < end and found[0] < found[1]:
                found = (found[0], end)
            elif begin < end:
                if found[0] < found[1]:
                    yield found
                found = (begin, end)
            if at >= stop:
                break
        if found[0] < found[1]:
            yield found

    def _chain(self, stream: Stream, power: int, following: Callable[[int], int]) -> Iterator[int]:
        """The sectors of a stream, as many as its size needs."""
        sector = stream.start
        for k in range(-(-stream.size >> power)):
            if sector > LAST:
                raise Unreadable(f"a stream of {stream.size} bytes ends after {k} sectors")
            yield sector
            sector = following(sector)

    def _next(self, sector: int) -> int:
        each = 1 << (self._power - 2)
        if sector // each >= len(self._places):
            raise Unreadable(f"the table of sectors does not reach to {sector}")
        place = self._places[sector // each]
        page = self._pages.get(place, lambda: self._page(place))
        return int.from_bytes(page[4 * (sector % each) :][:4], "little")

    def _next_small(self, sector: int) -> int:
        table = Stream(self._small_table, self._blob.stat.size)
        data = self._sectors(table, 4 * sector, 4 * sector + 4)
        return int.from_bytes(data, "little")

    def _page(self, sector: int) -> bytes:
        size = 1 << self._power
        data = self._blob.read((sector + 1) * size, (sector + 2) * size)
        if len(data) < size:
            raise Unreadable(f"the file ends before its sector {sector}")
        return data

    def _tables(self, head: bytes, count: int, more: int) -> list[int]:
        """Where the sectors of the table are."""
        sectors = self._blob.stat.size >> self._power
        if count > sectors:
            raise Unreadable(f"a table of {count} sectors is longer than the file")
        found = _numbers(head[FIRST_TABLES : FIRST_TABLES + 4 * TABLES])[:count]
        while len(found) < count:
            if more > LAST:
                raise Unreadable(f"of the {count} sectors of its table it names {len(found)}")
            *places, more = _numbers(self._page(more))
            found += places[: count - len(found)]
        return found

    def _entries(self, directory: int, major: int) -> tuple[dict[str, Stream], Stream]:
        """The streams by name, and the one that has the small ones."""
        streams: dict[str, Stream] = {}
        root = Stream(LAST + 1, 0)
        for data in self._directory(directory):
            name, length, kind, start, size = ENTRY.unpack(data)
            size = size & 0xFFFFFFFF if major == 3 else size
            if kind in {STREAM, ROOT} and size > self._blob.stat.size:
                raise Unreadable(f"a stream of {size} bytes is longer than the file")
            if kind == ROOT:
                root = Stream(start, size)
            elif kind == STREAM:
                text = name[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
                streams.setdefault(text.lower(), Stream(start, size))
        return streams, root

    def _directory(self, sector: int) -> Iterator[bytes]:
        """The entries, until their chain ends."""
        each = (1 << self._power) // ENTRY.size
        for _ in range(min(MOST_ENTRIES, self._blob.stat.size // ENTRY.size) // each + 1):
            if sector > LAST:
                return
            data = self._page(sector)
            yield from (data[k * ENTRY.size : (k + 1) * ENTRY.size] for k in range(each))
            sector = self._next(sector)
        raise Unreadable("its directory has no end, or too many entries")


def _numbers(data: bytes) -> list[int]:
    return [int.from_bytes(data[k : k + 4], "little") for k in range(0, len(data), 4)]
