"""Chunks in shards (https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/sharded.md).

A shard begins with an index; offsets count from its end, numbers are u64, little-endian ::

    index             for each minishard where its own begins and ends
    …
    minishard index   identifiers, starts and sizes of its chunks, perhaps packed: the identifiers each less the one
                      before it, the starts each less the end of the chunk before it
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.bounded import BoundedCache
from diascope.errors import NotFound, Unreadable
from diascope.haste import pause
from diascope.image.morton import Curve
from diascope.image.region import Ints
from diascope.sources.precomputed.murmur import murmur
from diascope.sources.precomputed.packed import inflated
from diascope.sources.reading.documents import Document, shown
from diascope.stores.store import Blob, Store

TYPE = "neuroglancer_uint64_sharded_v1"
ENTRY = 16
MOST_BITS = 64
LARGEST_INDEX = 1 << 28
"""Bytes of the index of a minishard that is read."""
OPEN_SHARD = 1 << 19
"""What an open shard weighs, so that no more than 128 files are held open."""

HASHES: dict[str, Callable[[int], int]] = {"identity": lambda number: number, "murmurhash3_x86_128": murmur}

_blobs: BoundedCache[Blob | None] = BoundedCache(1 << 26, weigh=lambda _: OPEN_SHARD)
_minishards: BoundedCache[NDArray[np.uint64]] = BoundedCache(1 << 26, weigh=lambda index: index.nbytes + 512)
"""Identifiers, starts and stops, by identifier."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sharded:
    """The chunks of a scale whose files are shards."""

    store: Store
    path: str
    curve: Curve
    preshift: int
    hashed: Callable[[int], int]
    minishard_bits: int
    shard_bits: int
    is_index_packed: bool
    is_data_packed: bool

    def data(self, place: Ints, most: int) -> bytes | None:
        """The bytes of the chunk at a place z, y, x of the grid, None where it is missing."""
        code = self.curve.code(place[::-1])
        number = self.hashed(code >> self.preshift)
        minishard = number & ((1 << self.minishard_bits) - 1)
        shard = number >> self.minishard_bits & ((1 << self.shard_bits) - 1)
        key = f"{self.path}/{shard:0{max(1, -(-self.shard_bits // 4))}x}.shard"
        blob = _blobs.get((self, shard), lambda: self._opened(key))
        if blob is None:
            return None
        index = _minishards.get((self, shard, minishard), lambda: self._index(blob, minishard))
        at = int(np.searchsorted(index[0], np.uint64(code)))
        if at == index.shape[1] or int(index[0, at]) != code:
            return None
        data = _exactly(blob, int(index[1, at]), int(index[2, at]))
        if not self.is_data_packed:
            return data
        pause()
        return inflated(data, most)

    def _opened(self, key: str) -> Blob | None:
        try:
            return self.store.open(key)
        except NotFound:
            return None

    def _index(self, blob: Blob, minishard: int) -> NDArray[np.uint64]:
        """Of a minishard, with starts and stops from the beginning of the shard; raises ValueError."""
        base = ENTRY << self.minishard_bits
        entry = _exactly(blob, ENTRY * minishard, ENTRY * (minishard + 1))
        start, stop = (base + int(number) for number in np.frombuffer(entry, "<u8"))
        if stop - start > LARGEST_INDEX:
            raise ValueError(f"the index of the minishard {minishard} has {stop - start} bytes")
        data = _exactly(blob, start, stop)
        if self.is_index_packed and data:
            data = inflated(data, LARGEST_INDEX)
        if len(data) % 24:
            raise ValueError(f"the index of the minishard {minishard} has {len(data)} bytes")
        told = np.frombuffer(data, "<u8").reshape(3, -1).astype(np.uint64)
        if any(int(part.max(initial=0)) >= 1 << 62 for part in told[1:]):
            raise ValueError("a chunk lies beyond the end of its shard")
        identifiers = np.cumsum(told[0], dtype=np.uint64)
        starts = np.cumsum(told[1] + np.concatenate([[np.uint64(base)], told[2][:-1]])[: told.shape[1]])
        made = np.stack([identifiers, starts, starts + told[2]])
        return made[:, np.argsort(identifiers, kind="stable")]


def _exactly(blob: Blob, start: int, stop: int) -> bytes:
    if not 0 <= start <= stop <= blob.stat.size:
        raise ValueError(f"what lies at {start} to {stop} is beyond the {blob.stat.size} bytes of the shard")
    return blob.read(start, stop)


def sharded(store: Store, path: str, document: Document, curve: Curve) -> Sharded:
    """As a scale tells of its shards; raises Unreadable where it cannot be."""
    if document.get("@type") != TYPE:
        raise Unreadable(f"{path}: shards of the type {shown(document.get('@type'))} are not known")
    hashed = HASHES.get(str(document.get("hash")))
    if hashed is None:
        raise Unreadable(f"{path}: the hash {shown(document.get('hash'))} of shards is not known")
    preshift, minishard, shard = (
        _bits(document.get(key, 0), path) for key in ("preshift_bits", "minishard_bits", "shard_bits")
    )
    if curve.bits > MOST_BITS or minishard + shard > MOST_BITS:
        raise Unreadable(f"{path}: chunks are not told apart by 64 bits")
    return Sharded(
        store=store,
        path=path,
        curve=curve,
        preshift=preshift,
        hashed=hashed,
        minishard_bits=minishard,
        shard_bits=shard,
        is_index_packed=_is_packed(document.get("minishard_index_encoding", "raw"), path),
        is_data_packed=_is_packed(document.get("data_encoding", "raw"), path),
    )


def _bits(value: Any, path: str) -> int:
    if type(value) is not int or not 0 <= value <= MOST_BITS:
        raise Unreadable(f"{path}: {shown(value)} is no number of bits")
    return value


def _is_packed(value: Any, path: str) -> bool:
    if value not in ("raw", "gzip"):
        raise Unreadable(f"{path}: shards packed as {shown(value)} cannot be read")
    return bool(value == "gzip")
