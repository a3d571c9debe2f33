"""The inside of a gzip file (RFC 1952), read at any place through an index of where inflating can start again."""

from __future__ import annotations

import io
import zlib
from threading import Lock

from diascope.errors import Unreadable
from diascope.sources.blob_file import BlobFile
from diascope.stores.store import Blob

MAGIC = b"\x1f\x8b"

HIGHEST_RATIO = 1032
"""Deflate makes at most so many bytes out of one."""

SPACING = 1 << 20
POINTS = 512
"""An index has at most about so many places to start at, each of which keeps 32 KiB."""


def inflated_head(first: bytes, size: int) -> bytes:
    """Up to ``size`` bytes from the beginning of what is packed, none where it is no gzip."""
    try:
        return zlib.decompressobj(wbits=31).decompress(first, size)
    except zlib.error:
        return b""


class Inflated:
    """The bytes in a gzip file, up to ``size``, which the caller knows from what is packed.

    The index grows as far as has been read. Many threads may read; one at a time inflates.
    """

    def __init__(self, blob: Blob, size: int) -> None:
        from indexed_gzip import _IndexedGzipFile

        if size > (blob.stat.size + 1) * HIGHEST_RATIO:
            raise Unreadable(f"{blob.stat.size} bytes of gzip cannot hold the {size} bytes that the header declares")
        self._size = size
        self._lock = Lock()
        self._file = _IndexedGzipFile(fileobj=BlobFile(blob), spacing=max(SPACING, size // POINTS))

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where they end sooner."""
        stop = min(stop, self._size)
        pieces = []
        with self._lock:
            self._file.seek(start)
            while start < stop:
                piece = self._file.read(stop - start)
                if not piece:
                    break
                pieces.append(piece)
                start += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


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
