"""Whether packed bytes are whole and unpack to as many as they should, by what stands in their heads and tails.

What is not told here is left to who unpacks them: a broken stream is an error there, and never other pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

BLOSC = struct.Struct("<4xIII")
"""Bytes unpacked, of a block, and packed."""
BLOSC_HEADER = 16

ZSTD = b"\x28\xb5\x2f\xfd"
ZSTD_SIZES = (0, 2, 4, 8)
"""Bytes of the size in the header, by the upper two bits of the flags."""
DICTIONARIES = (0, 1, 2, 4)
CHECKSUM = 4

GZIP = b"\x1f\x8b\x08"
GZIP_LEAST = 18
ZLIB_LEAST = 8


def is_sound(codec: str, data: bytes, size: int) -> bool:
    """Whether the bytes seem to be so many ones, packed by a codec of this name; False of codecs that tell nothing."""
    check = CHECKS.get(codec)
    return check is not None and check(data, size)


def _raw(data: bytes, size: int) -> bool:
    return len(data) == size


def _blosc(data: bytes, size: int) -> bool:
    """https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst."""
    if len(data) < BLOSC_HEADER:
        return False
    unpacked, _, packed = BLOSC.unpack_from(data)
    return bool(unpacked == size and packed == len(data))


def _zstd(data: bytes, size: int) -> bool:
    """One frame that tells its size, with all its blocks (RFC 8878, section 3.1.1)."""
    flags = data[4] if len(data) > 4 and data.startswith(ZSTD) else 0x08
    single = flags >> 5 & 1
    width = ZSTD_SIZES[flags >> 6] or single
    if flags & 0x08 or not width:
        return False
    at = 6 - single + DICTIONARIES[flags & 3]
    told = int.from_bytes(data[at : at + width], "little") + (256 if width == 2 else 0)
    return told == size and _last_block(data, at + width) + CHECKSUM * (flags >> 2 & 1) == len(data)


def _last_block(data: bytes, at: int) -> int:
    """Where the last block of a frame ends; each begins with 3 bytes: | last 1 bit | kind 2 | size 21 |."""
    while at + 3 <= len(data):
        head = int.from_bytes(data[at : at + 3], "little")
        # A block of the kind 1 is one byte, many times.
        at += 3 + (1 if head >> 1 & 3 == 1 else head >> 3)
        if head & 1:
            return at
    return -1


def _gzip(data: bytes, size: int) -> bool:
    """The last four bytes are the size of the last member (RFC 1952, section 2.3.1), which is the only one if so."""
    return len(data) >= GZIP_LEAST and data.startswith(GZIP) and int.from_bytes(data[-4:], "little") == size


def _zlib(data: bytes, size: int) -> bool:  # noqa: ARG001  # nothing tells it
    """RFC 1950, section 2.2."""
    return len(data) >= ZLIB_LEAST and data[0] & 15 == 8 and not data[1] & 0x20 and (data[0] << 8 | data[1]) % 31 == 0


CHECKS: dict[str, Callable[[bytes, int], bool]] = {
    "raw": _raw, "blosc": _blosc, "zstd": _zstd, "gzip": _gzip, "zlib": _zlib,
}  # fmt: skip
