"""The parts of a file that are not pixels, each byte of which is read once."""

from __future__ import annotations

from diascope.errors import Unreadable
from diascope.stores.store import Blob, Stat

PAGE = 1 << 14
LARGEST = 1 << 28
"""How many bytes may be read so."""


class Pages:
    """A file that keeps what was read of it; one thread at a time."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._pages: dict[int, bytes] = {}

    @property
    def stat(self) -> Stat:
        return self._blob.stat

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where the file ends sooner."""
        start, stop = max(start, 0), min(stop, self._blob.stat.size)
        if start >= stop:
            return b""
        first, last = start // PAGE, -(-stop // PAGE)
        missing = [page for page in range(first, last) if page not in self._pages]
        if missing:
            self._fill(missing[0], missing[-1] + 1)
        data = b"".join(self._pages[page] for page in range(first, last))
        return data[start - first * PAGE : stop - first * PAGE]

    def _fill(self, first: int, last: int) -> None:
        if (len(self._pages) + last - first) * PAGE > LARGEST:
            raise Unreadable(f"its metadata are more than the {LARGEST} bytes that are read")
        data = self._blob.read(first * PAGE, min(last * PAGE, self._blob.stat.size))
        for page in range(first, last):
            self._pages[page] = data[(page - first) * PAGE : (page - first + 1) * PAGE]


class Cursor:
    """The same as the file object that a library reads."""

    closed = False

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        stop = self._pages.stat.size if size < 0 else self._at + size
        data = self._pages.read(self._at, stop)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max((0, self._at, self._pages.stat.size)[whence] + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """Nothing is open."""
