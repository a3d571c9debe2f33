"""Bytes that a web server or a file system of cloud-volume keeps packed."""

from __future__ import annotations

import zlib

GZIP = b"\x1f\x8b"
HIGHEST_RATIO = 1032
"""Deflate makes at most so many bytes out of one."""


def inflated(data: bytes, most: int) -> bytes:
    """What is in a gzip file of one member; raises ValueError where it is broken, or more than the most."""
    import imagecodecs

    size = int.from_bytes(data[-4:], "little")
    if len(data) < 18 or size > min(most, len(data) * HIGHEST_RATIO):
        raise ValueError(f"{len(data)} bytes of gzip tell of {size}")
    try:
        unpacked = bytes(imagecodecs.gzip_decode(data, out=size)) if size else b""
    except Exception as error:
        raise ValueError(f"the gzip is broken: {error}") from error
    if len(unpacked) != size or zlib.crc32(unpacked) != int.from_bytes(data[-8:-4], "little"):
        raise ValueError("the gzip is broken: its checksum is wrong")
    return unpacked


def brotli(data: bytes, most: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.brotli_decode(data, out=most))


def zstd(data: bytes, most: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.zstd_decode(data, out=most))


ENDINGS = {"": None, ".gz": inflated, ".br": brotli, ".zstd": zstd}
"""What cloud-volume adds to the name of a file that it packs, and how it is unpacked."""
