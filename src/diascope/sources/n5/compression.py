"""How the pixels of N5 blocks are packed (https://github.com/saalfeldlab/n5#file-system-specification)."""

from __future__ import annotations

import struct

from diascope.errors import Unreadable
from diascope.sources.reading.documents import Document, mapping, shown
from diascope.sources.reading.packed.packing import Packing, blosc_parameters
from diascope.sources.reading.packed.unpacking import Bytes, Unpack, unpacking

SAME = {"bzip2": "bz2", "xz": "lzma", "blosc": "blosc", "zstd": "zstd"}
"""The names that Zarr has for the same packings."""

LZ4_HEADER = struct.Struct("<8sBiiI")
LZ4_MAGIC = b"LZ4Block"
PLAIN, PACKED = 0x10, 0x20


def unpack(attributes: Document, path: str) -> Unpack:
    """Of a dataset with these attributes; raises Unreadable where it is packed in an unknown way."""
    compression = _told(attributes, path)
    name = compression.get("type")
    if name == "raw":
        return lambda data, _: data
    if name == "gzip":
        return unpacking("zlib" if compression.get("useZlib") is True else "gzip", {}, path)
    if name == "lz4":
        return _lz4
    if not isinstance(name, str) or name not in SAME:
        raise Unreadable(f"{path}: blocks that are packed as {shown(name)} cannot be read")
    return unpacking(SAME[name], {}, path)


def packing(attributes: Document, path: str, rank: int, itemsize: int) -> Packing | None:
    """None where the codec is one that only N5 has, or that few know."""
    compression = _told(attributes, path)
    name = compression.get("type")
    if name not in ("raw", "gzip", "blosc", "zstd"):
        return None
    codec = "zlib" if name == "gzip" and compression.get("useZlib") is True else str(name)
    told = blosc_parameters(compression, itemsize) if codec == "blosc" else {}
    return Packing(codec=codec, order=tuple(range(rank)), parameters=told)


def _told(attributes: Document, path: str) -> Document:
    told = attributes.get("compression", {"type": attributes.get("compressionType", "raw")})
    return mapping(told, f"{path}: compression")


def _lz4(data: Bytes, most: int) -> bytes:
    """The stream of lz4-java, whose checksums are left alone; the last piece is of no bytes.

    | "LZ4Block" 8 | way 1 | bytes packed i32 | bytes unpacked i32 | checksum u32 | packed |
    """
    import imagecodecs

    pieces: list[bytes] = []
    view, at, left = bytes(data), 0, most
    while True:
        magic, way, packed, unpacked, _ = LZ4_HEADER.unpack_from(view, at)
        at += LZ4_HEADER.size
        if magic != LZ4_MAGIC or not 0 <= packed <= len(view) - at or not 0 <= unpacked <= left:
            raise ValueError(f"a piece of the lz4 stream tells of {packed} bytes for {unpacked}")
        if unpacked == 0:
            return b"".join(pieces)
        piece = view[at : at + packed]
        pieces.append(piece if way & 0xF0 == PLAIN else bytes(imagecodecs.lz4_decode(piece, out=unpacked)))
        if len(pieces[-1]) != unpacked or way & 0xF0 not in (PLAIN, PACKED):
            raise ValueError("a piece of the lz4 stream is not what its header says")
        at, left = at + packed, left - unpacked
