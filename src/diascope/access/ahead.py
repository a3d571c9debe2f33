"""Reading ahead: who reads a file from front to back gets it in large blocks, the next ones being made meanwhile."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from diascope.bounded import BoundedCache
from diascope.errors import DiascopeError, Unreadable
from diascope.tree.file import File

BLOCK = 1 << 20
"""Bytes of a block, aligned to the file."""
DEPTH = 2
"""How many blocks after the one that is read are made meanwhile."""
NEAR = 256 << 10
"""Bytes that may lie between a read and the one before it: the kernel's own reading ahead changes their order."""
KEPT = 128 << 20
"""Bytes of blocks of all files together."""


@dataclass(slots=True)
class Ahead:
    """Blocks that are kept for all files that are open, and the threads that make the next ones."""

    threads: int
    blocks: BoundedCache[bytes] = field(default_factory=lambda: BoundedCache(KEPT, weigh=len))
    _pool: ThreadPoolExecutor = field(init=False)
    _numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads, "diascope-ahead")

    def reader(self, file: File, size: int, identity: Hashable = None) -> Reader:
        """A file of this size that is read for as long as it is open; those of one identity share their blocks."""
        return Reader(self, next(self._numbers) if identity is None else identity, file, size)

    def prepare(self, reader: Reader, block: int) -> None:
        """Have a block made that will be asked for."""

        def make() -> None:
            with suppress(DiascopeError, OSError, ValueError):  # told to whoever asks for it
                reader.block(block)

        self._pool.submit(make)


@dataclass(slots=True)
class Reader:
    """A file that is read by ranges, from many threads at once."""

    ahead: Ahead
    identity: Hashable
    file: File
    size: int
    _stop: int = 0
    """Where the last read ended; that two threads race for it costs nothing but a block."""
    _prepared: int = -1
    """The last block that was asked for ahead."""

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop or to the end; raises Unreadable where the file has fewer than it said."""
        stop = min(stop, self.size)
        if stop <= start:
            return b""
        follows = -NEAR <= start - self._stop <= NEAR
        self._stop = stop
        if not follows or self.size <= stop - start:
            self._prepared = -1
            return self._exact(start, stop)
        first, last = start // BLOCK, (stop - 1) // BLOCK
        self._prepare_after(last)
        parts = [self.block(k)[max(start - k * BLOCK, 0) : stop - k * BLOCK] for k in range(first, last + 1)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _prepare_after(self, last: int) -> None:
        """Have the following blocks made while this one is."""
        for k in range(max(self._prepared, last) + 1, min(last + DEPTH, (self.size - 1) // BLOCK) + 1):
            self._prepared = k
            self.ahead.prepare(self, k)

    def block(self, k: int) -> bytes:
        """A block of the file, made once however many ask for it."""
        stop = min((k + 1) * BLOCK, self.size)
        return self.ahead.blocks.get((self.identity, k), lambda: self._exact(k * BLOCK, stop))

    def _exact(self, start: int, stop: int) -> bytes:
        data = self.file.read(start, stop)
        if len(data) != stop - start:
            raise Unreadable(f"{len(data)} bytes came of the {stop - start} from {start} on")
        return data
