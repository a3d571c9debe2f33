"""Files that are packed as a whole, with gzip or bzip2, and read as what is in them."""

from __future__ import annotations

import bz2

from diascope.errors import Unreadable
from diascope.sources.reading.packed import bunzipped
from diascope.sources.reading.packed.inflated import MAGIC as GZIP
from diascope.sources.reading.packed.inflated import Inflated, inflated_head, inflated_part
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.stores.store import Blob

BZIP2 = bunzipped.MAGIC
PACKINGS = ("", ".gz", ".bz2")
LONGEST_PACKED_HEAD = 1 << 21
WINDOW = 1 << 16


def packing(first: bytes) -> str:
    """``gzip`` or ``bzip2`` by the first bytes of a file, empty where it is neither."""
    return "gzip" if first.startswith(GZIP) else "bzip2" if first.startswith(BZIP2) else ""


def head_inside(first: bytes, size: int) -> bytes:
    """Up to ``size`` bytes of what is in the file that begins so; none of bzip2, whose blocks are longer."""
    packed = packing(first)
    return inflated_head(first, size) if packed == "gzip" else b"" if packed else first[:size]


def part_inside(blob: Blob, stop: int) -> bytes:
    """The first bytes of what is in a file, fewer where there are no more."""
    packed = packing(blob.read(0, len(BZIP2)))
    if packed == "gzip":
        return inflated_part(blob, stop)
    if packed == "bzip2":
        return _bunzipped_part(blob, stop)
    return blob.read(0, stop)


def _bunzipped_part(blob: Blob, stop: int) -> bytes:
    """What its first block begins with."""
    unpacker = bz2.BZ2Decompressor()
    out = b""
    for at in range(0, min(blob.stat.size, LONGEST_PACKED_HEAD), WINDOW):
        if len(out) >= stop or unpacker.eof:
            break
        out += unpacker.decompress(blob.read(at, at + WINDOW), stop - len(out))
    return out


def reader_inside(blob: Blob, stop: int) -> ReadBytes:
    """What reads the bytes in a file at any place; raises Unreadable where there cannot be as many as ``stop``."""
    packed = packing(blob.read(0, len(BZIP2)))
    if packed == "gzip":
        return Inflated(blob, stop).read
    if packed == "bzip2":
        return bunzipped.Bunzipped(blob, stop).read
    if stop > blob.stat.size:
        raise Unreadable(f"{blob.stat.size} bytes cannot hold pixels up to byte {stop}, as the header declares")
    return blob.read
