"""Compressed frames to pixels, by their transfer syntax (DICOM PS3.5, A.4 and 8.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.sources.dicom.pixels import Stored
from diascope.sources.distrust import distrust
from diascope.sources.reading.pictures.scans import check_scans

UID = "1.2.840.10008.1.2."
JPEG = frozenset(UID + end for end in ("4.50", "4.51", "4.57", "4.70"))
JPEG_LS = frozenset(UID + end for end in ("4.80", "4.81"))
JPEG_2000 = frozenset(UID + end for end in ("4.90", "4.91", "4.92", "4.93", "4.201", "4.202", "4.203"))
JPEG_XL = frozenset(UID + end for end in ("4.110", "4.111", "4.112"))
RLE = UID + "5"

RLE_PLACES = 16
RLE_HEADER = 4 * RLE_PLACES

SPARE = 4096

CONVERTED = JPEG_2000 | JPEG_XL
"""Whose decoders undo the colour transformation that the code stream tells of."""

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""The markers of JPEG and JPEG-LS behind which the size of a picture stands."""


ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Markers that no length follows, and that do not belong before a frame."""


def decoder(syntax: str) -> Callable[[bytes, Stored], NDArray[Any]]:
    """What makes an array of rows, columns and perhaps samples of a compressed frame; raises Unreadable."""
    if syntax in JPEG:
        return _jpeg
    if syntax in JPEG_LS:
        distrust("JPEG-LS")  # a few broken bytes keep its decoder busy for long
        return _jpeg_ls
    if syntax in JPEG_2000:
        return _jpeg_2000
    if syntax in JPEG_XL:
        return _jpeg_xl
    if syntax == RLE:
        return _rle
    import pydicom.uid

    raise Unreadable(f"pixels of the transfer syntax {pydicom.uid.UID(syntax).name} are not supported")


def _jpeg(data: bytes, found: Stored) -> NDArray[Any]:
    """Colours as RGB where the file says that they are no RGB, else as they are stored."""
    import imagecodecs

    _check_declared(jpeg_size(data), found)
    check_scans(data)
    if found.samples == 1:
        return np.asarray(imagecodecs.jpeg_decode(data))
    stored = "RGB" if found.photometric == "RGB" and not _says_ycbcr(data) else "YCBCR"
    return np.asarray(imagecodecs.jpeg_decode(data, colorspace=stored, outcolorspace="RGB"))


def _says_ycbcr(data: bytes) -> bool:
    """Whether a JPEG picture itself says that it is YCbCr: by JFIF's or Adobe's marker."""
    head = data[:4096]
    adobe = head.find(b"Adobe")
    if adobe >= 0 and head[adobe - 4 : adobe - 2] == b"\xff\xee":
        return head[adobe + 11 : adobe + 12] == b"\1"
    return head[2:4] == b"\xff\xe0" and head[6:11] == b"JFIF\0"


def _jpeg_ls(data: bytes, found: Stored) -> NDArray[Any]:
    """JPEG-LS knows no signs."""
    import imagecodecs

    _check_declared(jpeg_size(data), found)
    pixels = np.asarray(imagecodecs.jpegls_decode(data))
    return signed(pixels, found, found.used) if found.is_signed else pixels


def _jpeg_2000(data: bytes, found: Stored) -> NDArray[Any]:
    import imagecodecs

    at = data[:4096].find(b"\xff\x4f\xff\x51")
    if at < 0:
        raise Unreadable("a frame has no JPEG 2000 code stream")
    size = data[at + 8 : at + 24]
    width, height, left, top = (int.from_bytes(size[k : k + 4], "big") for k in (0, 4, 8, 12))
    _check_declared((height - top, width - left), found)
    if int.from_bytes(data[at + 40 : at + 42], "big") != found.samples:
        raise Unreadable(f"a frame has not {found.samples} samples")
    # The box around a code stream may say other colours than the data set, which has the last word.
    pixels = np.asarray(imagecodecs.jpeg2k_decode(data[at:]))
    is_signed, bits = bool(data[at + 42] >> 7), (data[at + 42] & 0x7F) + 1
    return pixels if is_signed == found.is_signed or found.samples > 1 else signed(pixels, found, bits)


def signed(pixels: NDArray[Any], found: Stored, bits: int) -> NDArray[Any]:
    """Pixels of so many bits whose code stream says another sign than the data set, which is right."""
    size = pixels.dtype.itemsize
    shift = max(8 * size - bits, 0)
    raw = pixels.view(f"u{size}") << shift
    return raw.view(f"i{size}" if found.is_signed else f"u{size}") >> shift


def _jpeg_xl(data: bytes, found: Stored) -> NDArray[Any]:
    import imagecodecs

    # An array of another size is refused before anything is decoded.
    return np.asarray(imagecodecs.jpegxl_decode(data, out=np.empty(found.shape, f"u{found.bits // 8}")))


def _rle(data: bytes, found: Stored) -> NDArray[Any]:
    """The bytes of all samples stand by themselves, the highest first (PS3.5, annex G).

    number of segments, fifteen places of segments, each of four bytes
    the segments, packed bits each
    """
    size = found.bits // 8
    places = np.frombuffer(data[:RLE_HEADER], "<u4").tolist()
    count = found.samples * size
    if len(places) < RLE_PLACES or places[0] != count:
        raise Unreadable(f"a frame has not {count} segments")
    ends = [*places[2 : count + 1], len(data)]
    planes = [_unpacked(data[start:stop], found) for start, stop in zip(places[1 : count + 1], ends, strict=True)]
    samples = np.stack(planes).reshape(found.samples, size, found.rows, found.columns)
    words = np.ascontiguousarray(np.moveaxis(samples, 1, -1)).view(f">u{size}")[..., 0].astype(f"u{size}")
    return words[0] if found.samples == 1 else np.moveaxis(words, 0, -1)


def _unpacked(data: bytes, found: Stored) -> NDArray[Any]:
    import imagecodecs

    pixels = found.rows * found.columns
    # Some writers' segments go on behind the last pixel, but none so far.
    plain = imagecodecs.packbits_decode(data, out=2 * pixels + SPARE)
    if len(plain) < pixels:
        raise Unreadable(f"a segment of a frame has {len(plain)} bytes instead of {pixels}")
    return np.frombuffer(plain, np.uint8)[:pixels]


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Rows and columns of a JPEG picture, told by its frame header."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            raise Unreadable("a frame is no whole JPEG picture")
        marker = data[at + 1]
        if marker in FRAMES:
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        if marker in ALONE:
            break
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise Unreadable("a frame is no whole JPEG picture")


def _check_declared(size: tuple[int, int], found: Stored) -> None:
    """Before anything is decoded: no bomb's pixels are made."""
    if not found.admits((*size, *found.shape[2:])):
        raise Unreadable(f"a frame has {size[1]} by {size[0]} pixels instead of {found.columns} by {found.rows}")
