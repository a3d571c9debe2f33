"""Blosc 1 frames (https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst), without loss."""

from __future__ import annotations

from typing import Any

import imagecodecs
from numpy.typing import NDArray

from diascope.encodings.plane import packed

COMPRESSOR = "lz4"
LEVEL = 5
SHUFFLE = 1
"""By bytes."""


def encoded(pixels: NDArray[Any]) -> bytes:
    """The bytes of an array in C order, shuffled by the size of a pixel and compressed with LZ4."""
    # imagecodecs takes the size of a pixel from an array, never from bytes. More than one thread would put the blocks
    # in the order in which they are done.
    array = packed(pixels)
    options = {"level": LEVEL, "compressor": COMPRESSOR, "shuffle": SHUFFLE, "numthreads": 1}
    return bytes(imagecodecs.blosc_encode(array, **options))  # type: ignore[arg-type]  # its stub knows bytes only
