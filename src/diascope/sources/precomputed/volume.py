"""The voxels of a scale, read a chunk at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from diascope.errors import DiascopeError
from diascope.haste import pause
from diascope.image.level import Pixels
from diascope.image.morton import curve
from diascope.image.region import Ints, Region, grid_shape
from diascope.sources.precomputed.decoding import Decode, decoding
from diascope.sources.precomputed.info import Info, Scale
from diascope.sources.precomputed.packed import ENDINGS, GZIP, inflated
from diascope.sources.precomputed.sharding import Sharded, sharded
from diascope.sources.reading.chunks import corrupt, missing, read_chunks
from diascope.stores.store import Store

SPARE = 1 << 20
"""By how much an encoded chunk may be larger than its voxels."""


@dataclass(slots=True, kw_only=True, eq=False)
class Volume:
    """An array of c, z, y, x; missing chunks are zeros, as they are in Neuroglancer."""

    store: Store
    scale: Scale
    dtype: np.dtype[Any]
    channels: int
    decode: Decode
    shards: Sharded | None
    _endings: list[str] = field(default_factory=lambda: list(ENDINGS))
    """What files are looked for, the one found last first."""

    @property
    def shape(self) -> Ints:
        return (self.channels, *self.scale.size)

    @property
    def chunk_shape(self) -> Ints:
        return (self.channels, *self.scale.chunk_size)

    def read(self, region: Region) -> Pixels:
        """The voxels of a region that lies inside; raises Unreadable naming a corrupt chunk."""
        return read_chunks(region, self.chunk_shape, self.dtype, self._chunk)

    def box(self, place: Ints) -> Region:
        """The voxels of the chunk at a place in the grid."""
        pairs = zip(place, self.chunk_shape, self.shape, strict=True)
        starts, stops = zip(*((i * side, min(i * side + side, size)) for i, side, size in pairs), strict=True)
        return Region(starts, stops)

    def packed(self, place: Ints) -> bytes | None:
        """The bytes of a chunk as its encoding has them; None where there is none."""
        box = self.box(place)
        key = self._key(box)
        try:
            return self._data(key, place, prod(box.shape) * self.dtype.itemsize)
        except DiascopeError:
            raise
        except Exception as error:
            raise corrupt(key, error) from error

    def _chunk(self, place: Ints) -> Pixels:
        box = self.box(place)
        data = self.packed(place)
        if data is None:
            return missing(np.zeros((), self.dtype), box.shape)
        try:
            return self.decode(data, box.shape)
        except DiascopeError:
            raise
        except Exception as error:
            raise corrupt(self._key(box), error) from error

    def _key(self, box: Region) -> str:
        """The canonical path of a chunk, also where it lies in a shard."""
        offsets, ends = self.scale.offset, zip(box.start[1:], box.stop[1:], strict=True)
        spans = (f"{o + start}-{o + stop}" for o, (start, stop) in zip(offsets, ends, strict=True))
        return f"{self.scale.path}/{'_'.join([*spans][::-1])}"

    def _data(self, key: str, place: Ints, size: int) -> bytes | None:
        """The bytes of a chunk of voxels of so many bytes, unpacked; None where there is none."""
        if self.shards is not None:
            return self.shards.data(place[1:], size + SPARE)
        for ending in self._endings:
            data = self.store.read(key + ending)
            if data is not None:
                if ending != self._endings[0]:
                    self._endings = [ending, *(each for each in ENDINGS if each != ending)]
                return self._unpacked(data, ending, size)
        return None

    def _unpacked(self, data: bytes, ending: str, size: int) -> bytes:
        unpack = ENDINGS[ending]
        # A file that a web server would give out as gzip may lie here as it does there.
        if unpack is None and data.startswith(GZIP) and not (self.scale.encoding == "raw" and len(data) == size):
            unpack = inflated
        if unpack is None:
            return data
        pause()
        return unpack(data, size + SPARE)


def volume(store: Store, info: Info, scale: Scale) -> Volume:
    """The voxels of a scale; raises Unreadable where they cannot be read."""
    grid = grid_shape(scale.size, scale.chunk_size)
    told = scale.sharding
    return Volume(
        store=store,
        scale=scale,
        dtype=info.dtype,
        channels=info.channels,
        decode=decoding(info, scale),
        shards=None if told is None else sharded(store, scale.path, told, curve(grid[::-1])),
    )
