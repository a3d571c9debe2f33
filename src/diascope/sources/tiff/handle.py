"""A blob as the file-like object that tifffile's parser reads, which stops where metadata read more than a file has."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import ref

from diascope.errors import Unreadable
from diascope.stores.store import Blob

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 8192
"""Bytes read ahead, as many as most directories have."""

SPARE = 1 << 28
FACTOR = 16
"""Parsing may read ``FACTOR`` times the file and ``SPARE`` bytes: directories may share values, within reason."""


def handle(blob: Blob) -> io.BufferedReader:
    """The bytes of a blob to be read and sought in by one thread, as long as somebody else holds the blob.

    The parser's objects refer to each other in circles: a file that they held would stay open until these are found.
    """
    return io.BufferedReader(_Raw(_loosely(blob), blob.stat.size), BUFFER)


def _loosely(blob: Blob) -> Callable[[], Blob | None]:
    """What gives the blob as long as it is there; one that cannot be held so is held."""
    try:
        return ref(blob)
    except TypeError:
        return lambda: blob


@dataclass(eq=False)
class _Raw(io.RawIOBase):
    blob: Callable[[], Blob | None]
    size: int
    at: int = 0
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = FACTOR * self.size + SPARE

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("a place before the start of the file")
        self.at = base + offset
        return self.at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        blob = self.blob()
        if blob is None:
            raise OSError("the file was closed")
        data = blob.read(self.at, self.at + len(view))
        self.left -= len(data)
        if self.left < 0:
            raise Unreadable("its directories refer to the same bytes again and again")
        view[: len(data)] = data
        self.at += len(data)
        return len(data)
