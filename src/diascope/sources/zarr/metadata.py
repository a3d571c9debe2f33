"""What an array's own metadata says, alike for both versions of Zarr."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.region import Ints
from diascope.sources.reading.documents import Document, shown
from diascope.sources.zarr.chain import LARGEST_CHUNK, Chain
from diascope.sources.zarr.sharding import Sharding

MOST_AXES = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metadata:
    """How an array is stored."""

    shape: Ints
    dtype: np.dtype[Any]
    """In the byte order of the machine."""
    stored_shape: Ints
    """Of the pixels in one stored object: a chunk, or a shard of chunks."""
    fill: NDArray[Any]
    """What missing chunks are full of, without axes."""
    key: Callable[[Ints], str]
    """Of the stored object at a place in the grid, relative to the array."""
    chain: Chain
    """Of a stored object."""
    names: tuple[str | None, ...] | None
    """Of the dimensions."""
    attributes: Document
    sharding: Sharding | None = field(init=False)
    """How the chunks within a stored object are found, where it can be read in parts."""
    chunk_shape: Ints = field(init=False)
    """Of what is decoded at once."""
    chunk_chain: Chain = field(init=False)
    """Of that."""

    def __post_init__(self) -> None:
        body = self.chain.body
        in_parts = not self.chain.unpacks and not self.chain.turns
        sharding = body if isinstance(body, Sharding) and in_parts else None
        object.__setattr__(self, "sharding", sharding)
        object.__setattr__(self, "chunk_shape", sharding.chunk_shape if sharding else self.stored_shape)
        object.__setattr__(self, "chunk_chain", sharding.inner if sharding else self.chain)


def check_chunk(shape: Ints, chunk_shape: Ints, itemsize: int, path: str) -> None:
    """Raise Unreadable where chunks do not fit the array or are too large to decode."""
    if len(chunk_shape) != len(shape) or len(shape) > MOST_AXES:
        raise Unreadable(f"{path}: chunks of the shape {chunk_shape} do not fit an array of the shape {shape}")
    if math.prod(chunk_shape) * itemsize > LARGEST_CHUNK:
        raise Unreadable(f"{path}: a chunk of the shape {chunk_shape} is larger than {LARGEST_CHUNK} bytes")


def separator(value: Any, path: str) -> str:
    if value not in (".", "/"):
        raise Unreadable(f"{path}: {shown(value)} separates no numbers in a chunk's key")
    return str(value)


def joined_by(separator: str) -> Callable[[Ints], str]:
    """Keys as Zarr v2 spells them: ``0.0`` or ``0/0``, and ``0`` where there are no dimensions."""
    return lambda place: separator.join(map(str, place)) or "0"


def dimension_names(value: Any, rank: int) -> tuple[str | None, ...] | None:
    """One for each dimension, None where they are missing or do not fit."""
    if not isinstance(value, list) or len(value) != rank or not any(isinstance(name, str) for name in value):
        return None
    return tuple(name if isinstance(name, str) else None for name in value)
