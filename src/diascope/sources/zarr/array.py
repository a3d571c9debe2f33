"""The pixels of an array, read a region at a time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from diascope import fleeting
from diascope.bounded import BoundedCache
from diascope.errors import Changed, DiascopeError, NotFound
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.reading.chunks import corrupt, missing, read_chunks
from diascope.sources.reading.documents import joined
from diascope.sources.zarr.metadata import Metadata
from diascope.sources.zarr.sharding import Index, Sharding
from diascope.stores.store import Blob, Store


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard that is open, with its index."""

    blob: Blob
    index: Index


OPEN_SHARD = 1 << 19
"""What a shard weighs besides its index, so that no more than 128 files are held open."""

shards: BoundedCache[Shard | None] = BoundedCache(
    1 << 26, weigh=lambda shard: OPEN_SHARD + (shard.index.nbytes if shard else 0)
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Array:
    """A Zarr array at a path of a store; missing chunks are its fill value, as both versions say."""

    store: Store
    path: str
    metadata: Metadata

    def read(self, region: Region) -> Pixels:
        """The pixels of a region that lies inside, in the array's own order of axes, not to be written to.

        A view of the chunk where the region lies in one. Raises Unreadable naming the chunk that is corrupt.
        """
        return read_chunks(region, self.metadata.chunk_shape, self.metadata.dtype, self._chunk)

    def packed(self, place: Ints) -> bytes | None:
        """The bytes of the chunk at a place in the grid, in a shard or by itself; None where there is none."""
        sharding = self.metadata.sharding
        if sharding is None:
            return self.store.read(self._key(place))
        key, within = self._in_shard(sharding, place)
        try:
            return self._of_shard(sharding, key, within)
        except DiascopeError:
            raise
        except Exception as error:
            raise corrupt(f"{key} at {within}", error) from error

    def _chunk(self, place: Ints) -> Pixels:
        """The whole chunk at a place in the grid."""
        data = self.packed(place)
        if data is None:
            return missing(self.metadata.fill, self.metadata.chunk_shape)
        try:
            return self.metadata.chunk_chain.decode(data)
        except DiascopeError:
            raise
        except Exception as error:
            raise corrupt(self._name(place), error) from error

    def _name(self, place: Ints) -> str:
        if self.metadata.sharding is None:
            return self._key(place)
        key, within = self._in_shard(self.metadata.sharding, place)
        return f"{key} at {within}"

    def _in_shard(self, sharding: Sharding, place: Ints) -> tuple[str, Ints]:
        """The key of a chunk's shard, and the place in there."""
        per_shard = tuple(s // c for s, c in zip(sharding.shape, sharding.chunk_shape, strict=True))
        key = self._key(tuple(i // n for i, n in zip(place, per_shard, strict=True)))
        return key, tuple(i % n for i, n in zip(place, per_shard, strict=True))

    def _of_shard(self, sharding: Sharding, key: str, within: Ints) -> bytes | None:
        """The chunk at a place within a shard, which is opened anew where there may be more in it than there was."""
        shard = shards.get((self, key), lambda: self._shard(sharding, key))
        with suppress(Changed):
            data = _chunk_of(sharding, shard, within)
            if data is not None or shard is None or not self._was_replaced(shard, key):
                return data
        shards.discard((self, key))
        return _chunk_of(sharding, shards.get((self, key), lambda: self._shard(sharding, key)), within)

    def _was_replaced(self, shard: Shard, key: str) -> bool:
        """Whether another shard has come in its place."""
        stat = self.store.stat(key)
        return stat is None or stat.version != shard.blob.stat.version

    def _shard(self, sharding: Sharding, key: str) -> Shard | None:
        try:
            blob = self.store.open(key)
        except NotFound:
            fleeting.note()
            return None
        return Shard(blob, sharding.index_of(blob.read, blob.stat.size))

    def _key(self, place: Ints) -> str:
        return joined(self.path, self.metadata.key(place))


def _chunk_of(sharding: Sharding, shard: Shard | None, within: Ints) -> bytes | None:
    return sharding.packed(shard.blob.read, shard.blob.stat.size, shard.index, within) if shard else None
