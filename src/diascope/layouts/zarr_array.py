"""Zarr arrays, version 3 (https://zarr-specs.readthedocs.io/en/latest/v3/core/) and 2 (…/v2/v2.0.html).

Chunks at the upper edges are whole, with zeros beyond the level; a chunk of zeros is a file like any other.
"""

from __future__ import annotations

from typing import Any

from diascope.encodings import blosc
from diascope.image.level import Level, padded
from diascope.image.region import Ints, chunk_region

DATA_TYPES = frozenset({
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
})  # fmt: skip


def array_v3(level: Level, chunk_shape: Ints, axes: str) -> dict[str, Any]:
    """The document of ``zarr.json``."""
    single = level.dtype.itemsize == 1
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(level.shape),
        "data_type": level.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": _zero(level),
        "codecs": [
            {"name": "bytes"} if single else {"name": "bytes", "configuration": {"endian": "little"}},
            {
                "name": "blosc",
                "configuration": {
                    "cname": blosc.COMPRESSOR,
                    "clevel": blosc.LEVEL,
                    "shuffle": "shuffle",
                    "typesize": level.dtype.itemsize,
                    "blocksize": 0,
                },
            },
        ],
        "attributes": {},
        "dimension_names": list(axes),
    }


def array_v2(level: Level, chunk_shape: Ints) -> dict[str, Any]:
    """The document of ``.zarray``."""
    return {
        "zarr_format": 2,
        "shape": list(level.shape),
        "chunks": list(chunk_shape),
        "dtype": level.dtype.newbyteorder("<").str,
        "fill_value": _zero(level),
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
        "compressor": {
            "id": "blosc",
            "cname": blosc.COMPRESSOR,
            "clevel": blosc.LEVEL,
            "shuffle": blosc.SHUFFLE,
            "blocksize": 0,
        },
    }


def chunk(level: Level, chunk_shape: Ints, index: Ints) -> bytes:
    """The bytes of the chunk at this place in the grid, in either version."""
    pixels = padded(level, chunk_region(index, chunk_shape))
    return blosc.encoded(pixels.astype(level.dtype.newbyteorder("<"), copy=False))


def _zero(level: Level) -> bool | int | float | list[float]:
    """The fill value as the type's JSON form wants it."""
    zeros: dict[str, bool | int | float | list[float]] = {"b": False, "f": 0.0, "c": [0.0, 0.0]}
    return zeros.get(level.dtype.kind, 0)
