"""How layouts of chunks pack pixels, each way by its name in ``Stored``; none loses anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from diascope.encodings import blosc, gzip, zlib, zstd
from diascope.image.level import Pixels


def plain(pixels: Pixels) -> bytes:
    """The bytes of pixels in C order: not a copy where these are all of some bytes that they were read from."""
    base: Any = pixels
    while isinstance(base, np.ndarray):
        base = base.base
    if type(base) is bytes and len(base) == pixels.nbytes and pixels.flags.c_contiguous:
        return base
    return pixels.tobytes()


PACKED: Mapping[str, Callable[[Pixels], bytes]] = {
    "raw": plain,
    "blosc": blosc.encoded,
    "gzip": lambda pixels: gzip.encoded(plain(pixels)),
    "zlib": lambda pixels: zlib.encoded(plain(pixels)),
    "zstd": lambda pixels: zstd.encoded(plain(pixels)),
}
"""Of pixels in C order and the byte order that is stored."""

LEVELS = {"gzip": gzip.LEVEL, "zlib": zlib.LEVEL, "zstd": zstd.LEVEL}
"""How hard they are packed here."""

SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")
"""By their numbers in Zarr 2 and N5."""


def frames(told: Mapping[str, Any], itemsize: int) -> dict[str, Any]:
    """What an array says of blosc frames: as they are made here, but for what is told of those of another program."""
    usual = {
        "cname": blosc.COMPRESSOR,
        "clevel": blosc.LEVEL,
        "shuffle": SHUFFLES[blosc.SHUFFLE],
        "typesize": itemsize,
        "blocksize": 0,
    }
    return usual | {key: told[key] for key in usual if key in told}
