"""A distant store that is asked seldom: what was seen is remembered, near reads are one request, sequential ones fewer.

Where a file is read on, more and more of it is fetched at once; long reads go past the memory, and are kept by whoever
decodes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar

from diascope.errors import NotFound
from diascope.haste import pause
from diascope.stores.blocks import BLOCK, Blocks
from diascope.stores.copies import Copies
from diascope.stores.moment import Moment
from diascope.stores.neighbours import Neighbours
from diascope.stores.store import Blob, Stat

T = TypeVar("T")

LONG = 1 << 20
"""Bytes of a read that is a request of its own."""

LONGEST_WINDOW = 64
"""Blocks that are fetched ahead at the most."""

MOST_NAMES = 10_000
"""Names of a folder that are remembered."""

FOLDER = Stat(is_folder=True, size=0, version="")


class Distant(Protocol):
    """A store each look at which is a request."""

    def looked(self, path: str) -> tuple[Stat | None, Neighbours | None]:
        """What lies at a path, and of a folder what the same look tells of all that lies in it."""
        ...

    def entries(self, path: str) -> Iterator[tuple[str, Stat]]:
        """Names in a folder, hidden ones too; the size of a file that is not told is negative."""
        ...

    def blob(self, path: str, stat: Stat) -> Blob:
        """The file that was seen so."""
        ...

    def opened(self, path: str, size: int) -> tuple[Blob, bytes]:
        """A file and its first bytes."""
        ...

    def read(self, path: str) -> bytes | None: ...

    def local_path(self, path: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """The same store, remembered."""

    store: Distant
    blocks: Blocks = field(compare=False, repr=False)
    """Shared by all stores of the process."""
    seen: Moment = field(compare=False, repr=False)
    copies: Copies = field(compare=False, repr=False)
    """Where files are copied to whose libraries read local files only."""

    def stat(self, path: str) -> Stat | None:
        return self.seen.made(("stat", path), lambda: self._looked(path))

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        return ((name, is_folder) for name, is_folder in self._entries(path) if not name.startswith("."))

    def open(self, path: str) -> Blob:
        pause()
        stat: Stat | None = self.seen.get(("stat", path), FOLDER)
        if stat is None:
            raise NotFound(f"there is no file {path!r}")
        if not stat.is_folder:
            return AheadBlob(self.store.blob(path, stat), self._identity(path, stat), self.blocks)
        blob, first = self.store.opened(path, BLOCK)
        self.seen.keep(("stat", path), blob.stat)
        identity = self._identity(path, blob.stat)
        self.blocks.keep(identity, 0, first)
        return AheadBlob(blob, identity, self.blocks)

    def read(self, path: str) -> bytes | None:
        pause()
        return self.store.read(path)

    def local_path(self, path: str) -> str | None:
        pause()
        return self.store.local_path(path)

    def _identity(self, path: str, stat: Stat) -> object:
        """Of what a file was when it was seen; without a version nobody knows whether it is the same another time."""
        return (self.store, path, stat.size, stat.version) if stat.version else object()

    def _looked(self, path: str) -> Stat | None:
        pause()
        near = self._near(path)
        if near is not None and near.knows(path):
            return near.stats.get(path)
        stat, neighbours = self.store.looked(path)
        if neighbours is not None:
            self.seen.keep(("near", path), neighbours, 1 + len(neighbours.stats))
        return stat

    def _near(self, path: str) -> Neighbours | None:
        """What a look at one of the folders above has told of it."""
        folder = path.rpartition("/")[0]
        while folder:
            found: Neighbours | None = self.seen.get(("near", folder), None)
            if found is not None:
                return found
            folder = folder.rpartition("/")[0]
        return None

    def _entries(self, path: str) -> Iterator[tuple[str, bool]]:
        known: list[tuple[str, bool]] | None = self.seen.get(("names", path), None)
        if known is not None:
            yield from known
            return
        pause()
        entries = self.store.entries(path)
        first = list(islice(entries, MOST_NAMES))
        folder = f"{path}/" if path else ""
        for name, stat in first:
            if stat.size >= 0:
                self.seen.keep(("stat", folder + name), stat)
        names = [(name, stat.is_folder) for name, stat in first]
        if len(first) < MOST_NAMES:
            self.seen.keep(("names", path), names, 1 + len(names))
        yield from names
        yield from ((name, stat.is_folder) for name, stat in entries)


class AheadBlob:
    """An open file of it."""

    __slots__ = ("__weakref__", "_blob", "_blocks", "_end", "_identity", "_window")

    def __init__(self, blob: Blob, identity: Any, blocks: Blocks) -> None:
        self._blob = blob
        self._identity = identity
        self._blocks = blocks
        self._end = 1  # the first block comes with the file
        self._window = 0

    @property
    def stat(self) -> Stat:
        return self._blob.stat

    def read(self, start: int, stop: int) -> bytes:
        start, stop = max(start, 0), min(stop, self.stat.size)
        if stop - start >= LONG:
            pause()
            return self._blob.read(start, stop)
        if stop <= start:
            return b""
        wanted = range(start // BLOCK, -(-stop // BLOCK))
        return _cut(self._fetched(wanted), start, stop)

    def expect(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch what will be read soon: what lies near each other together, and no more than can be kept."""
        wanted: set[int] = set()
        most = self._blocks.max_bytes // BLOCK // 4
        for start, stop in ranges:
            start, stop = max(start, 0), min(stop, self.stat.size)  # noqa: PLW2901
            if stop - start < LONG and len(wanted) < most:
                wanted.update(range(start // BLOCK, -(-stop // BLOCK)))
        self._blocks.get(self._identity, wanted, self._blob.read, self.stat.size)

    def _fetched(self, wanted: range) -> dict[int, bytes]:
        """The blocks; where one is missing, and begins where the last ones ended, more than before behind them.

        Of threads that read one file at once each may forget what the other has seen, which costs no more than speed.
        """
        held = self._blocks.held(self._identity, wanted)
        if held is not None:
            return held
        pause()
        self._window = min(max(1, 2 * self._window), LONGEST_WINDOW) if self._end in wanted else 0
        self._end = min(wanted.stop + self._window, -(-self.stat.size // BLOCK))
        return self._blocks.get(self._identity, range(wanted.start, self._end), self._blob.read, self.stat.size)


def expect(blob: Blob, ranges: Iterable[tuple[int, int]]) -> None:
    """Say what parts of a file will be read soon, so that a distant store is asked for many of them at once."""
    if isinstance(blob, AheadBlob):
        blob.expect(ranges)


def _cut(blocks: dict[int, bytes], start: int, stop: int) -> bytes:
    """The bytes between two places, of blocks that hold them."""
    if stop <= start:
        return b""
    first, last = start // BLOCK, (stop - 1) // BLOCK
    if first == last:
        return blocks[first][start - first * BLOCK : stop - first * BLOCK]
    joined = b"".join(blocks[number] for number in range(first, last + 1))
    return joined[start - first * BLOCK : stop - first * BLOCK]
