"""The inside of a gzip file (RFC 1952), read at any place through an index of where inflating can start again."""

from __future__ import annotations

import io
import zlib
from functools import partial
from threading import Lock
from typing import Any
from weakref import proxy

from diascope.bounded import Part, reader_cache
from diascope.errors import Unreadable
from diascope.sources.reading.blob_file import BlobFile
from diascope.stores.store import Blob

MAGIC = b"\x1f\x8b"

HIGHEST_RATIO = 1032
"""Deflate makes at most so many bytes out of one."""

SPACING = 1 << 20
POINTS = 1024
"""An index has at most about so many places to start at."""
POINT = 1 << 15
"""Bytes that each of them keeps."""
BEHIND = 1 << 16
"""The end of what is packed is looked for among so many bytes after those that are wanted."""

LARGEST_BLOCK = 1 << 24
BLOCKS = 4
"""What has so many blocks or more, each as long as from one place to the next and at most 16 MiB, is not kept."""


def inflated_head(first: bytes, size: int) -> bytes:
    """Up to ``size`` bytes from the beginning of what is packed, none where it is no gzip."""
    try:
        return zlib.decompressobj(wbits=31).decompress(first, size)
    except zlib.error:
        return b""


class Inflated:
    """The bytes in a gzip file, up to ``size``, which the caller knows from what is packed.

    The index grows as far as has been read, and the blocks read last are kept: each read begins to inflate at one of
    the index' places, so that many small ones would inflate the same again and again. Many threads may read; one at a
    time inflates.
    """

    def __init__(self, blob: Blob, size: int, *, is_checked: bool = True) -> None:
        from indexed_gzip import _IndexedGzipFile

        if size > (blob.stat.size + 1) * HIGHEST_RATIO:
            raise Unreadable(f"{blob.stat.size} bytes of gzip cannot hold the {size} bytes that the header declares")
        spacing = max(SPACING, size // POINTS)
        self._size = size
        self._block = min(spacing, LARGEST_BLOCK)
        self._lock = Lock()
        self._lent = _Lent(blob)
        lent = proxy(self._lent)
        self._opened = lambda: _IndexedGzipFile(fileobj=BlobFile(lent), spacing=spacing, skip_crc_check=not is_checked)
        self._index: Part[Any] = Part(reader_cache, weigh=lambda _: POINT * (1 + size // spacing))
        self._blocks: Part[bytes] = Part(reader_cache, weigh=len)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where they end sooner."""
        stop = min(stop, self._size)
        if stop - start >= BLOCKS * self._block:
            return self._inflated(start, stop)
        first, last = start // self._block, -(-stop // self._block)
        pieces = [self._blocks.get(k, partial(self._whole_block, k)) for k in range(first, last)]
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return data[start - first * self._block : max(stop - first * self._block, 0)]

    def _whole_block(self, k: int) -> bytes:
        return self._inflated(k * self._block, min((k + 1) * self._block, self._size))

    def _inflated(self, start: int, stop: int) -> bytes:
        if stop == self._size:
            # The checksum stands at the end, and is looked at where that is passed.
            return self._read(start, stop + BEHIND)[: stop - start]
        return self._read(start, stop)

    def _read(self, start: int, stop: int) -> bytes:
        pieces = []
        with self._lock:
            file = self._index.get("", self._opened)
            file.seek(start)
            while start < stop and (piece := file.read(stop - start)):
                pieces.append(piece)
                start += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class _Lent:
    """A blob as the index has it, which is kept in memory longer than the file may stay open."""

    def __init__(self, blob: Blob) -> None:
        self.stat = blob.stat
        self.read = blob.read


def inflated_part(blob: Blob, stop: int) -> bytes:
    """The first ``stop`` bytes of what is packed, fewer where there are no more; no more than needed is read."""
    unpacker = zlib.decompressobj(wbits=31)
    out = io.BytesIO()
    at = 0
    while out.tell() < stop and not unpacker.eof and (data := blob.read(at, at + (1 << 14))):
        at += len(data)
        while data and out.tell() < stop:
            out.write(unpacker.decompress(data, stop - out.tell()))
            data = unpacker.unconsumed_tail
    return out.getvalue()
