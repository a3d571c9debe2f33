"""From the bytes of a chunk to its voxels.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md, "Chunk encoding"; pictures have
the planes of a chunk under one another, or in any other shape of so many pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from math import prod
from typing import Any, TypeAlias

import numpy as np

from diascope.encodings import compressed_segmentation
from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints
from diascope.sources.precomputed import compresso
from diascope.sources.precomputed.info import Info, Scale
from diascope.sources.reading.documents import shown
from diascope.sources.reading.pictures.jpeg_stream import END
from diascope.sources.reading.pictures.png import png_pixels
from diascope.sources.reading.pictures.scans import check_scans

Decode: TypeAlias = Callable[[bytes, Ints], Pixels]
"""From bytes and the shape c, z, y, x of the voxels; raises whatever it likes where they are corrupt."""

PNG_HEADER = struct.Struct(">8s4x4sII")
PNG_START = b"\x89PNG\r\n\x1a\n", b"IHDR"

UNREAD = {
    "crackle": "no decoder of Crackle is at hand",
    "fpzip": "no decoder of fpzip is at hand",
    "kempressed": "no decoder of fpzip is at hand",
    "zfpc": "no decoder of zfp containers is at hand",
}


def decoding(volume: Info, scale: Scale) -> Decode:
    """How chunks of a scale are decoded; raises Unreadable with the reason where they cannot be."""
    if scale.encoding == "raw":
        return _raw(volume.dtype)
    if scale.encoding in ("jpeg", "png"):
        size = _jpeg_size if scale.encoding == "jpeg" else _png_size
        decode = _jpeg if scale.encoding == "jpeg" else png_pixels
        return _picture(volume.dtype, size, decode)
    if scale.encoding == "compressed_segmentation":
        return lambda data, shape: compressed_segmentation.decoded(data, shape, volume.dtype, scale.block_size)
    if scale.encoding == "compresso":
        return lambda data, shape: compresso.decoded(data, shape, volume.dtype)
    reason = UNREAD.get(scale.encoding, "this encoding is not known")
    raise Unreadable(f"{scale.path}: chunks encoded as {shown(scale.encoding)} cannot be read: {reason}")


def _raw(dtype: np.dtype[Any]) -> Decode:
    stored = dtype.newbyteorder("<")

    def decode(data: bytes, shape: Ints) -> Pixels:
        if len(data) != prod(shape) * stored.itemsize:
            raise ValueError(f"it holds {len(data)} bytes instead of {prod(shape) * stored.itemsize}")
        return np.frombuffer(data, stored).reshape(shape).astype(dtype, copy=False)

    return decode


def _picture(dtype: np.dtype[Any], size: Callable[[bytes], int], decode: Callable[[bytes], Any]) -> Decode:
    def decoded(data: bytes, shape: Ints) -> Pixels:
        if size(data) != prod(shape[1:]):
            raise ValueError(f"the picture has {size(data)} pixels for {prod(shape[1:])} voxels")
        pixels = np.asarray(decode(data))
        if pixels.dtype != dtype:
            raise ValueError(f"the picture has samples of {pixels.dtype} instead of {dtype}")
        return np.moveaxis(pixels.reshape(*shape[1:], shape[0]), -1, 0)

    return decoded


def _png_size(data: bytes) -> int:
    start, name, width, height = PNG_HEADER.unpack_from(data)
    if (start, name) != PNG_START:
        raise ValueError("it is no PNG")
    return int(width * height)


def _jpeg_size(data: bytes) -> int:
    from PIL.JpegImagePlugin import JpegImageFile

    return prod(JpegImageFile(BytesIO(data)).size)


def _jpeg(data: bytes) -> Any:
    import imagecodecs

    check_scans(data)
    # libjpeg makes grey of what is cut off.
    if not data.rstrip(b"\0").endswith(END):
        raise ValueError("the JPEG is cut off")
    return imagecodecs.jpeg8_decode(data)
