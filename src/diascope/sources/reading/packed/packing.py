"""By which one codec chunks are packed, for layouts that can name it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diascope.image.region import Ints

SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")
COMPRESSORS = {"blosclz", "lz4", "lz4hc", "zlib", "zstd", "snappy"}
HIGHEST = 9
WIDEST = 255
LARGEST = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """One codec, or none, between the pixels in C order of some axes and the bytes of a chunk."""

    codec: str
    """As ``Stored`` names it."""
    order: Ints
    """The axes of the array as the pixels lie, slowest first."""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def blosc_parameters(configuration: Mapping[str, Any], itemsize: int) -> dict[str, Any]:
    """What an array says of its blosc frames, in the words of Zarr v3; without what cannot be true.

    No decoder needs it: the frames tell all.
    """
    shuffle = configuration.get("shuffle")
    if type(shuffle) is int and -1 <= shuffle < len(SHUFFLES):
        # -1 leaves it to the size of a pixel.
        shuffle = SHUFFLES[shuffle] if shuffle >= 0 else "bitshuffle" if itemsize == 1 else "shuffle"
    told = {
        "cname": (configuration.get("cname"), COMPRESSORS),
        "clevel": (configuration.get("clevel"), range(HIGHEST + 1)),
        "shuffle": (shuffle, SHUFFLES),
        "typesize": (configuration.get("typesize", itemsize), range(1, WIDEST + 1)),
        "blocksize": (configuration.get("blocksize"), range(LARGEST)),
    }
    return {key: value for key, (value, known) in told.items() if type(value) in (int, str) and value in known}
