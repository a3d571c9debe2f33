"""The contract of stored chunks: decoded by others than Diascope's own sources, they are the pixels of their level."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.encodings import compressed_segmentation
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.order import moved
from diascope.image.region import Ints, chunk_region, touched, whole
from diascope.image.stored import Stored

MOST_CHUNKS = 200

LOSSY = 8
"""How far apart two decoders of JPEG may be where they see chroma on a coarser grid; as a rule they agree."""


def _zstd(data: bytes) -> bytes:
    from numcodecs.zstd import Zstd

    return bytes(Zstd().decode(data))


def _blosc(data: bytes) -> bytes:
    from numcodecs import blosc

    return bytes(blosc.decompress(data))


def _picture(data: bytes) -> bytes:
    from io import BytesIO

    from PIL import Image as Pictures

    with Pictures.open(BytesIO(data)) as picture:
        pixels = np.asarray(picture)
    # Of 16 bits Pillow makes 32.
    return (
        pixels.astype(np.uint16 if pixels.itemsize > 1 else np.uint8).astype(f"<u{min(pixels.itemsize, 2)}").tobytes()
    )


UNPACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "zlib": zlib.decompress,
    "gzip": gzip.decompress,
    "zstd": _zstd,
    "blosc": _blosc,
    "jpeg": _picture,
    "png": _picture,
}


def check_stored(image: Image) -> int:
    """How many chunks are told as they are stored; raise AssertionError where one of them has other pixels."""
    return sum(_check_level(image, level, level.stored) for level in image.levels if level.stored)


def _check_level(image: Image, level: Level, stored: Stored) -> int:
    count = 0
    assert stored.dtype.newbyteorder("=") == level.dtype, f"{stored.dtype} is stored, and {level.dtype} read"
    for index in islice(touched(whole(level.shape), level.chunk_shape), MOST_CHUNKS):
        data = stored.chunk(index)
        if data is None:
            continue
        count += 1
        box = chunk_region(index, level.chunk_shape)
        inside = box.clipped(level.shape)
        pixels = _pixels(stored, image, data, box.shape if stored.is_padded else inside.shape)
        seen = pixels[inside.shifted(box.start).slices]
        wanted = level.read(inside)
        if stored.codec == "jpeg":
            assert np.abs(seen.astype(int) - wanted).max() <= LOSSY, f"the chunk {index} shows another picture"
        else:
            assert seen.tobytes() == wanted.tobytes(), f"the chunk {index} is stored with other pixels"
        place = stored.extent(index) if stored.extent else None
        assert not (place and stored.read) or stored.read(*place) == data, f"the chunk {index} lies elsewhere"
    return count


def _pixels(stored: Stored, image: Image, data: bytes, shape: Ints) -> NDArray[Any]:
    """Of a chunk of a shape in the image's axes."""
    names = image.axis_names
    sides = dict(zip(names, shape, strict=True))
    laid = [sides.get(name, 1) for name in stored.order]
    if stored.codec == "compressed_segmentation":
        pixels = compressed_segmentation.decoded(data, tuple(laid), stored.dtype, stored.parameters["block_size"])
    else:
        pixels = np.frombuffer(UNPACKED[stored.codec](data), stored.dtype).reshape(laid)
    return moved(pixels.astype(stored.dtype.newbyteorder("="), copy=False), stored.order, names)
