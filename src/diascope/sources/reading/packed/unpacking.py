"""Compressors and checksums by name: bytes from bytes, never more of them than a chunk can need."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from diascope.errors import Unreadable

Bytes: TypeAlias = Any
"""Whatever has a buffer: bytes, or an array."""
Unpack: TypeAlias = Callable[[Bytes, int], Bytes]
"""From packed bytes and the most that they may unpack to. Raises whatever it likes where they are corrupt."""

LZMA_MEMORY = 1 << 29
BLOSC_HEADER = 16


def unpacking(name: str, configuration: Mapping[str, Any], path: str) -> Unpack:
    """The decoder of a codec from bytes to bytes, by its name in numcodecs; raises Unreadable where it is unknown."""
    if name in OWN:
        return OWN[name]
    if name == "lzma":
        return _lzma(configuration, path)
    if name in CHECKED:
        return by_numcodecs(name, configuration, path)
    raise Unreadable(f"{path}: the codec {name!r} is unknown")


def by_numcodecs(name: str, configuration: Mapping[str, Any], path: str) -> Unpack:
    """The decoder of a codec of numcodecs that cannot inflate what it is given."""
    import numcodecs

    try:
        codec = numcodecs.get_codec({**configuration, "id": name})
    except Exception as error:
        raise Unreadable(f"{path}: the codec {name!r} cannot be configured so ({error})") from error

    def unpack(data: Bytes, _: int) -> Bytes:
        return flat(codec.decode(data))

    return unpack


def flat(decoded: Any) -> Bytes:
    """What numcodecs gives, as a buffer of bytes."""
    if isinstance(decoded, np.ndarray):
        return decoded.reshape(-1, order="A").view(np.uint8)
    return decoded


def _blosc(data: Bytes, most: int) -> Bytes:
    """16 bytes of header, the sizes of which are checked before anything is unpacked.

    | version 1 | version of codec 1 | flags 1 | type size 1 | bytes unpacked u32 | block size u32 | bytes packed u32 |
    """
    import imagecodecs

    if len(data) < BLOSC_HEADER:
        raise ValueError(f"{len(data)} bytes are no blosc buffer")
    unpacked, _, packed = struct.unpack_from("<III", data, 4)
    if unpacked > most or packed > len(data):
        raise ValueError(f"its blosc header tells of {packed} bytes for {unpacked}, and there are {len(data)}")
    return imagecodecs.blosc_decode(data, out=unpacked) if unpacked else b""


def _zstd(data: Bytes, most: int) -> Bytes:
    import imagecodecs

    return imagecodecs.zstd_decode(data, out=most)


def _gzip(data: Bytes, most: int) -> Bytes:
    """One or more members; one alone is unpacked by the faster library."""
    import imagecodecs

    try:
        unpacked = imagecodecs.gzip_decode(data, out=most)
    except Exception:  # noqa: BLE001  # whatever it was, the slower one tells what is wrong
        return _inflated(data, most, 31)
    return unpacked if len(unpacked) == most else _inflated(data, most, 31)


def _zlib(data: Bytes, most: int) -> Bytes:
    return _inflated(data, most, 15)


def _inflated(data: Bytes, most: int, window: int) -> bytes:
    parts, left = [], bytes(data)
    while left:
        stream = zlib.decompressobj(window)
        # One more than allowed shows that there is more.
        parts.append(stream.decompress(left, most + 1))
        most -= len(parts[-1])
        if most < 0 or not stream.eof:
            raise ValueError("the compressed data is cut off, or unpacks to more than the chunk has")
        left = stream.unused_data if window > 15 else b""
    return b"".join(parts)


def _bz2(data: Bytes, most: int) -> bytes:
    return _streamed(bz2.BZ2Decompressor(), data, most)


def _lzma(configuration: Mapping[str, Any], path: str) -> Unpack:
    form, filters = configuration.get("format", lzma.FORMAT_XZ), configuration.get("filters")
    raw = form == lzma.FORMAT_RAW
    dictionaries = [f.get("dict_size", 0) for f in filters or () if isinstance(f, dict)]
    if any(not isinstance(size, int) or size > LZMA_MEMORY for size in dictionaries):
        raise Unreadable(f"{path}: a dictionary of the codec 'lzma' is larger than {LZMA_MEMORY} bytes")

    def unpack(data: Bytes, most: int) -> bytes:
        stream = (
            lzma.LZMADecompressor(form, filters=filters) if raw else lzma.LZMADecompressor(form, memlimit=LZMA_MEMORY)
        )
        return _streamed(stream, data, most, ends=not raw)

    return unpack


def _streamed(stream: Any, data: Bytes, most: int, *, ends: bool = True) -> bytes:
    unpacked: bytes = stream.decompress(bytes(data), most + 1)
    # The mark of the end may still wait behind the last byte.
    if len(unpacked) <= most and not stream.eof and not stream.needs_input:
        unpacked += stream.decompress(b"", 1)
    if len(unpacked) > most or (ends and not stream.eof):
        raise ValueError("the compressed data is cut off, or unpacks to more than the chunk has")
    return unpacked


def _lz4(data: Bytes, most: int) -> Bytes:
    """A little-endian u32, the bytes unpacked, then one block."""
    import imagecodecs

    (unpacked,) = struct.unpack_from("<I", data)
    if unpacked > most:
        raise ValueError(f"its lz4 header tells of {unpacked} bytes, more than the chunk has")
    return imagecodecs.lz4_decode(bytes(data)[4:], out=unpacked)


def crc32c(data: Bytes, _: int = 0) -> Bytes:
    """The bytes before the last four, which are their checksum, little-endian."""
    import google_crc32c

    body = bytes(data[:-4])
    if len(data) < 4 or google_crc32c.value(body) != int.from_bytes(bytes(data[-4:]), "little"):
        raise ValueError("its checksum (crc32c) is wrong")
    return body


OWN: dict[str, Unpack] = {
    "blosc": _blosc, "zstd": _zstd, "gzip": _gzip, "zlib": _zlib, "bz2": _bz2, "lz4": _lz4,
}  # fmt: skip

CHECKED = {"shuffle", "crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3"}
"""Those of numcodecs that keep the number of bytes but for a checksum. Never ``pickle``: it runs what it reads."""
