"""How the strips and tiles of a page are decoded: tifffile's own functions, and what they lack."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, TypeAlias

import numpy as np
import tifffile

from diascope.errors import Unreadable
from diascope.sources.reading.pictures.declared import JPEG, declared_pixels
from diascope.sources.reading.pictures.scans import check_scans
from diascope.sources.tiff.sgilog import SGILOG, sgilog_decoder

Decode: TypeAlias = Callable[..., Any]
"""Of a segment's bytes, its index and its JPEG tables; the pixels are the first of what it gives."""

DEFLATE = frozenset({8, 32946, 50013})
APERIO_YCBCR = 33003

SLACK = 1 << 20
"""Pixels that a segment's own header may declare beyond those of the segment, as padded tiles do."""


def decoder(keyframe: Any, where: str) -> tuple[np.dtype[Any], Decode]:
    """The type of a page's pixels and the decoder of its segments; raises Unreadable where it cannot be decoded."""
    if keyframe.compression == SGILOG:
        return np.dtype(np.float32), sgilog_decoder(keyframe)
    try:
        decode: Decode = keyframe.decode
        decode(None, 0)
    except Exception as error:
        raise Unreadable(f"{where}: its pixels cannot be decoded: {error}") from error
    return keyframe.dtype.newbyteorder("="), _completed(decode, keyframe)


def _completed(decode: Decode, keyframe: Any) -> Decode:
    if keyframe.jpegheader is not None:
        return partial(_headless, decode, keyframe.jpegheader)
    if keyframe.compression in DEFLATE:
        return partial(_deflated, decode, keyframe.dtype.itemsize)
    if keyframe.compression == APERIO_YCBCR:
        return partial(_aperio, partial(_image, decode))
    if keyframe.compression in tifffile.TIFF.IMAGE_COMPRESSIONS:
        return partial(_image, decode)
    return decode


def _headless(decode: Decode, header: bytes, data: bytes, index: int, jpegtables: bytes | None = None) -> Any:
    """Of a part of a JPEG stream whose header stands elsewhere."""
    check_scans(data)
    return decode(data, index, jpegtables=jpegtables, jpegheader=header)


def _deflated(decode: Decode, itemsize: int, data: bytes, index: int, jpegtables: bytes | None = None) -> Any:
    """Of a stream that may go on behind the end of the segment, as some writers' last strips do."""
    try:
        return decode(data, index, jpegtables=jpegtables)
    except Exception:
        size = prod(decode(None, index)[2]) * itemsize
        inflated = zlib.decompressobj().decompress(data, size)
        if len(inflated) < size:
            raise
        return decode(zlib.compress(inflated, 0), index)


def _image(decode: Decode, data: bytes, index: int, jpegtables: bytes | None = None) -> Any:
    """Of a segment that is an image with a header of its own, which decoders believe when they allocate."""
    if data.startswith(JPEG):
        check_scans(data)
    declared = declared_pixels(data)
    if declared > SLACK:
        expected = prod(decode(None, index)[2][:3])
        if declared > SLACK + 2 * expected:
            raise Unreadable(f"it declares {declared} pixels where {expected} belong")
    return decode(data, index, jpegtables=jpegtables)


def _aperio(decode: Decode, data: bytes, index: int, jpegtables: bytes | None = None) -> Any:
    """RGB of JPEG 2000 streams that keep luma and chroma without saying so (ITU-R BT.601, full range)."""
    pixels, at, shape = decode(data, index, jpegtables=jpegtables)
    luma, blue, red = (pixels[..., k].astype(np.float32) for k in range(3))
    blue, red = blue - 128, red - 128
    colours = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    return np.stack([np.clip(np.rint(c), 0, 255) for c in colours], axis=-1).astype(np.uint8), at, shape
