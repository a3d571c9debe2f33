"""Zarr arrays, version 3 (https://zarr-specs.readthedocs.io/en/latest/v3/core/) and 2 (…/v2/v2.0.html).

Chunks at the upper edges are whole; those made here have zeros beyond the level. A chunk of zeros is a file like any
other. Where the level is stored in such chunks already, the array has their codec, and they are passed on unopened.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from diascope.haste import pause
from diascope.image.level import Level, padded
from diascope.image.region import Ints, chunk_region
from diascope.image.stored import Stored, is_inside
from diascope.layouts.zarr_codec import Codec, codec, passing
from diascope.tree.file import File, whole

DATA_TYPES = frozenset({
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
})  # fmt: skip

MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, kw_only=True, eq=False)
class Array:
    """A level as an array of a version of Zarr."""

    level: Level
    chunk_shape: Ints
    axes: str
    version: Literal[2, 3]

    @cached_property
    def stored(self) -> Stored | None:
        """The chunks that are passed on, but for those that are not stored, or are in another way."""
        return passing(self.level, self.axes, self.chunk_shape, self.version)

    @cached_property
    def codec(self) -> Codec:
        return codec(self.level, self.stored)

    @property
    def document(self) -> dict[str, Any]:
        """That of ``zarr.json``, or of ``.zarray``."""
        return self._v3 if self.version == 3 else self._v2

    def file(self, index: Ints) -> File:
        """The chunk at this place in the grid."""
        stored = self.stored
        if stored is None or not (stored.is_padded or is_inside(self.level, index)):
            return whole(lambda: self._made(index), MEDIA_TYPE)
        chunk = stored.chunk

        def passed() -> bytes:
            data = chunk(index)
            if data is None:
                pause()
                data = self._made(index)
            return data

        return whole(passed, MEDIA_TYPE, cheap=stored.is_near)

    def _made(self, index: Ints) -> bytes:
        return self.codec.encoded(padded(self.level, chunk_region(index, self.chunk_shape)))

    @property
    def _v3(self) -> dict[str, Any]:
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(self.level.shape),
            "data_type": self.level.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(self.chunk_shape)}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": _zero(self.level),
            "codecs": self.codec.v3,
            "attributes": {},
            "dimension_names": list(self.axes),
        }

    @property
    def _v2(self) -> dict[str, Any]:
        return {
            "zarr_format": 2,
            "shape": list(self.level.shape),
            "chunks": list(self.chunk_shape),
            "dtype": self.codec.dtype.str,
            "fill_value": _zero(self.level),
            "order": "C",
            "filters": None,
            "dimension_separator": "/",
            "compressor": self.codec.v2,
        }


def _zero(level: Level) -> bool | int | float | list[float]:
    """The fill value as the type's JSON form wants it."""
    zeros: dict[str, bool | int | float | list[float]] = {"b": False, "f": 0.0, "c": [0.0, 0.0]}
    return zeros.get(level.dtype.kind, 0)
