"""How the pixels of subblocks are packed.

Two forms of Zstandard: ``zstd0`` is a frame; ``zstd1`` has a header before it, whose first byte is its size, and whose
chunk 1 has in bit 0 whether the low bytes of 16-bit samples are stored before all the high ones.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.sources.reading.pictures.declared import declared_pixels

UNCOMPRESSED, JPEG, LZW, JPEG_XR, ZSTD0, ZSTD1 = 0, 1, 2, 4, 5, 6

TITLES = {
    UNCOMPRESSED: "uncompressed",
    JPEG: "JPEG",
    LZW: "LZW",
    JPEG_XR: "JPEG XR",
    ZSTD0: "Zstandard",
    ZSTD1: "Zstandard",
}

GRAY, BGR, BGRA = 1, 3, 4

PIXEL_TYPES: dict[int, tuple[str, np.dtype[Any], int]] = {
    0: ("Gray8", np.dtype("u1"), GRAY),
    1: ("Gray16", np.dtype("<u2"), GRAY),
    2: ("Gray32Float", np.dtype("<f4"), GRAY),
    3: ("Bgr24", np.dtype("u1"), BGR),
    4: ("Bgr48", np.dtype("<u2"), BGR),
    8: ("Bgr96Float", np.dtype("<f4"), BGR),
    9: ("Bgra32", np.dtype("u1"), BGRA),
    10: ("Gray64ComplexFloat", np.dtype("<c8"), GRAY),
}
"""The name, the type and the number of samples of each number in the directory."""

REFUSED = {11: "Bgr192ComplexFloat", 12: "Gray32", 13: "Gray64"}


def pixel_type(number: int) -> tuple[str, np.dtype[Any], int]:
    """The row of that table; raises Unreadable where there is none."""
    if number not in PIXEL_TYPES:
        raise Unreadable(f"pixels of the type {REFUSED.get(number, number)} are not supported")
    return PIXEL_TYPES[number]


def decoded(data: bytes | memoryview, compression: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pixels:
    """Pixels of this shape, in the machine's byte order; colours are in the order of red, green and blue."""
    if compression == JPEG:
        # Blue is stored in the place of red, as Bio-Formats and czifile have it, unlike in JPEG XR.
        return in_rgb(_checked(_jpeg(bytes(data), shape), shape, dtype))
    if compression == JPEG_XR:
        return _checked(_jpeg_xr(bytes(data), shape), shape, dtype)
    size = prod(shape) * dtype.itemsize
    plain = data if compression == UNCOMPRESSED else _unpacked(bytes(data), compression, size)
    if len(plain) < size:
        raise Unreadable(f"{len(plain)} bytes cannot hold {shape} pixels of {dtype}")
    pixels = np.frombuffer(plain, dtype, prod(shape)).reshape(shape)
    return in_rgb(pixels.astype(dtype.newbyteorder("="), copy=False))


def in_rgb(pixels: Pixels) -> Pixels:
    """Blue, green and red the other way round, opacity where it is."""
    if pixels.ndim < 3:
        return pixels
    return pixels[..., ::-1] if pixels.shape[-1] == BGR else pixels[..., [2, 1, 0, 3]]


def _checked(pixels: Pixels, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pixels:
    if pixels.shape != shape or pixels.dtype != dtype.newbyteorder("="):
        raise Unreadable(f"{shape} pixels of {dtype} were decoded as {pixels.shape} of {pixels.dtype}")
    return pixels


def _unpacked(data: bytes, compression: int, size: int) -> bytes | memoryview:
    import imagecodecs

    if compression == ZSTD0:
        return bytes(imagecodecs.zstd_decode(data, out=size))
    if compression == ZSTD1:
        return _zstd1(data, size)
    if compression == LZW:
        return bytes(imagecodecs.lzw_decode(data, out=size))
    raise Unreadable(f"the compression {compression} is not supported: it is of a camera or a system of its own")


def _zstd1(data: bytes, size: int) -> bytes | memoryview:
    import imagecodecs

    header = data[0] if data else 0
    if header not in {1, 3} or (header == 3 and (len(data) < 3 or data[1] != 1)):
        raise Unreadable("the header of a zstd1 subblock is of an unknown kind")
    plain = bytes(imagecodecs.zstd_decode(data[header:], out=size))
    if header == 1 or not data[2] & 1:
        return plain
    if len(plain) < size or size % 2:
        raise Unreadable(f"{len(plain)} of {size} bytes cannot be the halves of 16-bit samples")
    low, high = np.frombuffer(plain, np.uint8, size).reshape(2, -1)
    samples = high.astype("<u2") << 8
    samples |= low
    return samples.data.cast("B")


def _jpeg(data: bytes, shape: tuple[int, ...]) -> Pixels:
    import imagecodecs

    _check_stream(data, shape)
    return np.asarray(imagecodecs.jpeg_decode(data))


def _jpeg_xr(data: bytes, shape: tuple[int, ...]) -> Pixels:
    import imagecodecs

    _check_stream(data, shape)
    return np.asarray(imagecodecs.jpegxr_decode(data))


def _check_stream(data: bytes, shape: tuple[int, ...]) -> None:
    """Raise Unreadable where a stream is of another size than its subblock: decoders believe it when they allocate."""
    declared, expected = declared_pixels(data), prod(shape[:2])
    if declared != expected:
        raise Unreadable(f"a stream of {declared} pixels where {expected} belong")
