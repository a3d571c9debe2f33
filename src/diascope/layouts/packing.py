"""How layouts of chunks pack pixels, each way by its name in ``Stored``; none loses anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diascope.encodings import blosc, gzip, zlib, zstd
from diascope.image.level import Pixels

PACKED: Mapping[str, Callable[[Pixels], bytes]] = {
    "raw": lambda pixels: pixels.tobytes(),
    "blosc": blosc.encoded,
    "gzip": lambda pixels: gzip.encoded(pixels.tobytes()),
    "zlib": lambda pixels: zlib.encoded(pixels.tobytes()),
    "zstd": lambda pixels: zstd.encoded(pixels.tobytes()),
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
