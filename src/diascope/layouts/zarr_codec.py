"""The codecs between pixels and the bytes of a chunk that Zarr's readers all know, as both versions name them.

https://zarr-specs.readthedocs.io/en/latest/v3/codecs/, https://numcodecs.readthedocs.io/. Version 3 has no zlib.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diascope.image.level import Level, Pixels
from diascope.image.region import Ints
from diascope.image.stored import Stored
from diascope.layouts.packing import LEVELS, PACKED, SHUFFLES, frames

NAMED = {2: frozenset(PACKED), 3: frozenset(PACKED) - {"zlib"}}
"""The codecs of each version of Zarr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """How the pixels of a chunk, in C order, become its bytes."""

    name: str
    dtype: np.dtype[Any]
    """In the byte order that is stored."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What is known of blosc frames that another program made."""

    def encoded(self, pixels: Pixels) -> bytes:
        return PACKED[self.name](pixels.astype(self.dtype, copy=False))

    @property
    def v3(self) -> list[dict[str, Any]]:
        """The list of codecs."""
        order = "big" if self.dtype.newbyteorder("<") != self.dtype else "little"
        single = self.dtype.itemsize == 1
        first = {"name": "bytes"} if single else {"name": "bytes", "configuration": {"endian": order}}
        if self.name == "raw":
            return [first]
        checks = {"checksum": False} if self.name == "zstd" else {}
        configuration = self._frames if self.name == "blosc" else {"level": LEVELS[self.name]} | checks
        return [first, {"name": self.name, "configuration": configuration}]

    @property
    def v2(self) -> dict[str, Any] | None:
        """The compressor."""
        if self.name == "raw":
            return None
        if self.name != "blosc":
            return {"id": self.name, "level": LEVELS[self.name]}
        told = {key: value for key, value in self._frames.items() if key != "typesize"}
        return {"id": "blosc"} | told | {"shuffle": SHUFFLES.index(told["shuffle"])}

    @property
    def _frames(self) -> dict[str, Any]:
        return frames(self.told, self.dtype.itemsize)


def passing(level: Level, axes: str, chunk_shape: Ints, version: int) -> Stored | None:
    """The stored chunks of a level where they are chunks of such an array already."""
    stored = level.stored
    if stored is None or stored.codec not in NAMED[version] or not stored.is_in(level, axes, chunk_shape):
        return None
    return stored


def codec(level: Level, stored: Stored | None) -> Codec:
    """That of the stored chunks which are passed on, else blosc, whose frames tell of zeros in a few bytes."""
    if stored is None:
        return Codec(name="blosc", dtype=level.dtype.newbyteorder("<"))
    return Codec(name=stored.codec, dtype=stored.dtype, told=stored.parameters)
