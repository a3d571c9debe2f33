"""Compound files: streams by name in one file (https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb).

header:  magic  class  versions  byte order  sizes of sectors as powers of two  ...                512 bytes
sectors of one size follow; the table of sectors has for each the number of the next one of its stream.
entry:   name  length  kind  ...  first sector  size of a stream                                   128 bytes
A stream shorter than a limit lies in small sectors, which are cut from the stream of the root entry.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct, unpack

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


@dataclass(frozen=True, slots=True)
class Followers:
    """A part of the table: what follows each sector."""

    next: list[int]
    breaks: list[int]
    """The places of those that are not followed by their neighbours."""

    def last_of_run(self, place: int) -> int:
        k = bisect_left(self.breaks, place)
        return self.breaks[k] if k < len(self.breaks) else len(self.next) - 1


def followers(data: bytes, k: int) -> Followers:
    """Those of the k-th sector of a table."""
    numbers = _integers(data)
    first = k * len(numbers) + 1
    return Followers(numbers, [place for place, number in enumerate(numbers) if number != first + place])


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
        self._pages: BoundedCache[Followers] = BoundedCache(HELD, weigh=lambda page: 8 * len(page.next))
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
        for begin, end in _spans(self._runs(stream, self._power, self._numbers), self._power, start, stop):
            base = 1 << self._power
            data = self._blob.read(base + begin, base + end)
            if len(data) < end - begin:
                raise Unreadable(f"the file ends at byte {base + begin + len(data)}, within a stream")
            parts.append(data)
        return b"".join(parts)

    def _small(self, stream: Stream, start: int, stop: int) -> Iterator[bytes]:
        for begin, end in _spans(self._runs(stream, SMALL, self._small_numbers), SMALL, start, stop):
            yield self._sectors(self._root, begin, end)

    def _runs(self, stream: Stream, power: int, numbers: Callable[[int], Followers]) -> Iterator[tuple[int, int]]:
        """The sectors of a stream, as many as its size needs: where each run of them begins, and how many it has."""
        sector, left, each = stream.start, -(-stream.size >> power), 1 << (self._power - 2)
        while left:
            if sector > LAST:
                raise Unreadable(f"a stream of {stream.size} bytes ends {left} sectors too early")
            page = numbers(sector // each)
            last = page.last_of_run(sector % each)
            count = min(last - sector % each + 1, left)
            yield sector, count
            sector, left = page.next[last], left - count

    def _numbers(self, k: int) -> Followers:
        """A sector of the table."""
        if k >= len(self._places):
            raise Unreadable(f"the table of sectors has no part {k}")
        return self._pages.get(k, lambda: followers(self._page(self._places[k]), k))

    def _small_numbers(self, k: int) -> Followers:
        size = 1 << self._power
        table = Stream(self._small_table, self._blob.stat.size)
        return followers(self._sectors(table, k * size, (k + 1) * size), k)

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
        found = _integers(head[FIRST_TABLES : FIRST_TABLES + 4 * TABLES])[:count]
        while len(found) < count:
            if more > LAST:
                raise Unreadable(f"of the {count} sectors of its table it names {len(found)}")
            *places, more = _integers(self._page(more))
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
        each, each_of_table = (1 << self._power) // ENTRY.size, 1 << (self._power - 2)
        for _ in range(min(MOST_ENTRIES, self._blob.stat.size // ENTRY.size) // each + 1):
            if sector > LAST:
                return
            data = self._page(sector)
            yield from (data[k * ENTRY.size : (k + 1) * ENTRY.size] for k in range(each))
            sector = self._numbers(sector // each_of_table).next[sector % each_of_table]
        raise Unreadable("its directory has no end, or too many entries")


def _spans(runs: Iterator[tuple[int, int]], power: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """From where to where the bytes from start to stop of a stream are, those that follow each other as one."""
    at, found = 0, (0, 0)
    for sector, count in runs:
        place, size = sector << power, count << power
        begin, end = place + max(start - at, 0), place + min(stop - at, size)
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


def _integers(data: bytes) -> list[int]:
    return list(unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))
