"""Decoded chunks kept in memory, so that no layout's grid costs a source the same chunk twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sized
from dataclasses import replace
from functools import partial
from math import prod
from mmap import mmap
from operator import add, floordiv, le, lt, mul, sub
from typing import TypeAlias

import numpy as np

from diascope.bounded import ENTRY, BoundedCache, Part
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, assembled
from diascope.image.prefetch import Trail, prefetch
from diascope.image.region import Ints, Region, chunk_region, grid_shape, touched
from diascope.image.stored import stored_as

ChunkCache: TypeAlias = BoundedCache[Pixels] | Part[Pixels]

LARGEST_AHEAD = 32 << 20
"""A chunk of more bytes is not read before somebody asks for it."""

ARRAY = 160
"""Bytes of an array beside its pixels."""


def chunk_cache(max_bytes: int) -> BoundedCache[Pixels]:
    """An empty cache of chunks, shared by all images."""
    return BoundedCache(max_bytes, weigh=lambda pixels: ENTRY + held_bytes(pixels))


def held_bytes(pixels: Pixels) -> int:
    """How much memory an array holds: that of all it is a view of, where it is one."""
    sizes = (getattr(base, "nbytes", None) or (len(base) if isinstance(base, Sized) else 0) for base in _bases(pixels))
    return ARRAY + max((pixels.nbytes, *sizes))


def _bases(pixels: Pixels) -> Iterator[object]:
    """What an array is a view of, what that is a view of, and so on."""
    base: object = pixels.base
    while base is not None:
        yield base
        base = getattr(base, "base", None) if isinstance(base, np.ndarray) else getattr(base, "obj", None)


def cached(image: Image, cache: ChunkCache, identity: Hashable) -> Image:
    """The same image, read a whole chunk at a time through the cache.

    ``identity`` names the pixels for ever: version of the stored bytes, image and operations.
    """
    levels = (cached_level(level, cache, (identity, k)) for k, level in enumerate(image.levels))
    return replace(image, levels=tuple(levels))


def cached_level(level: Level, cache: ChunkCache, identity: Hashable) -> Level:
    """The same level, read a whole chunk at a time through the cache."""
    grid = level.chunk_shape

    trail = Trail()

    def made(index: Ints) -> Pixels:
        with prefetch.awaited(trail):
            return _kept(level.read(_box(level, index)))

    def kept(index: Ints) -> Pixels:
        return cache.get((identity, index), lambda: made(index))

    def pixels_of(index: Ints) -> Pixels:
        pixels = kept(index)
        if trail.is_costly and prefetch.is_on:
            _expect(level, trail, index, lambda after: None if (identity, after) in cache else kept(after))
        return pixels

    def read_pixels(region: Region) -> Pixels:
        # Most reads lie in one chunk, which most often is there: what this costs is the cost of a hit.
        index = tuple(map(floordiv, region.start, grid))
        origin = tuple(map(mul, index, grid))
        if all(map(lt, region.start, region.stop)) and all(map(le, region.stop, map(add, origin, grid))):
            pixels = pixels_of(index)
            start, stop = map(sub, region.start, origin), tuple(map(sub, region.stop, origin))
            return pixels if region.start == origin and stop == pixels.shape else pixels[tuple(map(slice, start, stop))]
        pieces = ((_box(level, index), pixels_of(index)) for index in touched(region, grid))
        return assembled(level, region, pieces)

    return stored_as(replace(level, read_pixels=read_pixels), level.stored)


def _expect(level: Level, trail: Trail, index: Ints, read: Callable[[Ints], object]) -> None:
    """Have chunks read that may be asked for after this one."""
    after, has_turned = trail.after(index)
    if has_turned:
        prefetch.forget(trail)
    grid = grid_shape(level.shape, level.chunk_shape)
    inside = [each for each in after if all(0 <= i < n for i, n in zip(each, grid, strict=True))]
    if inside and prod(level.chunk_shape) * level.dtype.itemsize <= LARGEST_AHEAD:
        prefetch.expect(trail, [partial(read, each) for each in inside])


def _box(level: Level, index: Ints) -> Region:
    return chunk_region(index, level.chunk_shape).clipped(level.shape)


def _kept(pixels: Pixels) -> Pixels:
    """The pixels by themselves, so that keeping a chunk keeps no larger array, nor a file that may be written to."""
    if held_bytes(pixels) > 2 * pixels.nbytes + ARRAY or any(isinstance(base, mmap) for base in _bases(pixels)):
        pixels = pixels.copy(order="K")
    pixels.flags.writeable = False
    return pixels
