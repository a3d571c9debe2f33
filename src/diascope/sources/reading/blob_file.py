"""A stored file as the file object that libraries read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from diascope.stores.store import Blob

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class BlobFile(io.RawIOBase):
    """Reads a blob from a place of its own; one thread at a time."""

    def __init__(self, blob: Blob) -> None:
        super().__init__()
        self._blob = blob
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._blob.stat.size}[whence]
        if origin + offset < 0:
            raise ValueError("a file has nothing before its beginning")
        self._at = origin + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        stop = min(self._at + len(view), self._blob.stat.size)
        data = self._blob.read(self._at, max(stop, self._at))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def buffered(blob: Blob) -> io.BufferedReader:
    """The blob as a file whose small reads are taken from a buffer."""
    return io.BufferedReader(BlobFile(blob), 1 << 16)
