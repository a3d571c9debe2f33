"""Decoded chunks kept in memory, so that no layout's grid costs a source the same chunk twice."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import TypeAlias

from diascope.bounded import BoundedCache
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, assembled
from diascope.image.region import Ints, Region, chunk_region, touched
from diascope.image.stored import stored_as

ChunkCache: TypeAlias = BoundedCache[Pixels]


def chunk_cache(max_bytes: int) -> ChunkCache:
    """An empty cache of chunks, shared by all images."""
    return BoundedCache(max_bytes, weigh=lambda pixels: pixels.nbytes)


def cached(image: Image, cache: ChunkCache, identity: str) -> Image:
    """The same image, read a whole chunk at a time through the cache.

    ``identity`` names the pixels for ever: version of the stored bytes, image and operations.
    """
    levels = (cached_level(level, cache, (identity, k)) for k, level in enumerate(image.levels))
    return replace(image, levels=tuple(levels))


def cached_level(level: Level, cache: ChunkCache, identity: Hashable) -> Level:
    """The same level, read a whole chunk at a time through the cache."""

    def chunk(index: Ints) -> tuple[Region, Pixels]:
        box = chunk_region(index, level.chunk_shape).clipped(level.shape)
        return box, cache.get((identity, index), lambda: _kept(level.read(box)))

    def read_pixels(region: Region) -> Pixels:
        indices = list(touched(region, level.chunk_shape))
        if len(indices) == 1:
            box, pixels = chunk(indices[0])
            return pixels[region.shifted(box.start).slices]
        return assembled(level, region, map(chunk, indices))

    return stored_as(replace(level, read_pixels=read_pixels), level.stored)


def _kept(pixels: Pixels) -> Pixels:
    """The pixels by themselves, so that keeping a chunk does not keep a larger array that it is a view of."""
    base = pixels.base
    if base is not None and getattr(base, "nbytes", len(base) if isinstance(base, bytes) else 0) > 2 * pixels.nbytes:
        pixels = pixels.copy(order="K")
    pixels.flags.writeable = False
    return pixels
