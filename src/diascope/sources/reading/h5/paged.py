"""A stored file as the file object that h5py reads metadata from."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import TYPE_CHECKING

from diascope.stores.store import Blob

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PAGE = 1 << 14
PAGES = 256
"""Trees and heaps are read in small pieces here and there: so many pages of them are kept."""


class Paged(io.RawIOBase):
    """Reads a blob by pages, which are kept; what is longer than a page is read as it is. For one thread at a time."""

    def __init__(self, blob: Blob) -> None:
        super().__init__()
        self._blob = blob
        self._at = 0
        self._pages: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._blob.stat.size}[whence]
        if origin + offset < 0:
            raise OSError("a file has nothing before its beginning")
        self._at = origin + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._bytes(self._at, min(self._at + len(view), self._blob.stat.size))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _bytes(self, start: int, stop: int) -> bytes:
        if stop <= start:
            return b""
        if stop - start > PAGE:
            return self._blob.read(start, stop)
        first, last = start // PAGE, (stop - 1) // PAGE
        data = self._page(first) if first == last else self._page(first) + self._page(last)
        return data[start - first * PAGE : stop - first * PAGE]

    def _page(self, number: int) -> bytes:
        if number in self._pages:
            self._pages.move_to_end(number)
            return self._pages[number]
        page = self._blob.read(number * PAGE, min((number + 1) * PAGE, self._blob.stat.size))
        self._pages[number] = page
        if len(self._pages) > PAGES:
            self._pages.popitem(last=False)
        return page
