"""Opening a file with the source that knows it, and keeping every trouble a clear error that names the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from diascope.errors import DiascopeError, NotFound, Unreadable
from diascope.image.cache import ChunkCache, cached, cached_level, chunk_cache
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.pyramid import with_pyramid
from diascope.image.region import Region
from diascope.isolation.isolated import isolated
from diascope.registry import registry
from diascope.settings import MEBIBYTE
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.source import HEAD_SIZE, Head, Source, first_bytes, first_names
from diascope.stores.local import LocalStore
from diascope.stores.store import Stat, Store

if TYPE_CHECKING:
    from os import PathLike

T = TypeVar("T")

LARGEST = 2**62
"""More pixels than this along all axes together are the mark of a lying header."""

LARGEST_CHUNK = 1 << 32
"""How many bytes have to be in memory at most for one pixel to be read."""


def opened_file(path: str | PathLike[str]) -> Dataset:
    """The dataset of a local file or folder; raises NotFound or Unreadable.

    One that is made of others is so of those in its folder and below.
    """
    from diascope.catalogue.members import Pool  # which opens members by this module

    full = Path(path).absolute()
    store = LocalStore(full.parent, follow_links=True)
    stat = store.stat(full.name)
    if stat is None:
        raise NotFound(f"there is no file {os.fspath(path)!r}")
    source = source_of(store, full.name, stat)
    if source is None:
        raise Unreadable(f"{os.fspath(path)}: no source knows this format")
    pool = Pool(store=store, owner=str(full.parent), chunks=default_cache(), views={})
    return opened(pool.bound(source), store, full.name, default_cache(), str(full.parent))


@cache
def default_cache() -> ChunkCache:
    """The chunks of all files that this process opens by itself."""
    return chunk_cache(256 * MEBIBYTE)


def source_of(store: Store, path: str, stat: Stat) -> Source | None:
    """The source that opens this file or folder, None where it is no image."""
    sources: Mapping[str, Source] = registry("sources")
    name = path.rpartition("/")[2].lower()
    if stat.is_folder:
        markers = {marker for source in sources.values() for marker in source.markers}
        inside = f"{path}/" if path else ""
        found = frozenset(marker for marker in markers if store.stat(inside + marker))
        head = Head(
            name,
            markers=found,
            marker=lambda name: first_bytes(store, inside + name),
            names=cache(lambda: first_names(store, path)),
        )
    else:
        head = Head(name, first=store.open(path).read(0, HEAD_SIZE))
    ordered = sorted(sources.values(), key=lambda source: source.is_fallback)
    return next((source for source in ordered if source.matches(head)), None)


def named_as_image(name: str) -> bool:
    """Whether a listing takes a name for an image without opening it."""
    return name.lower().endswith(image_suffixes())


def image_suffixes() -> tuple[str, ...]:
    """How the names of images end, in lower case, the longest first."""
    return _suffixes(tuple(registry("sources")))


@cache
def _suffixes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these sources; a listing asks for every name."""
    found = (suffix for name in names for suffix in registry("sources")[name].suffixes)
    return tuple(sorted(found, key=len, reverse=True))


def opened(source: Source, store: Store, path: str, chunks: ChunkCache, owner: str) -> Dataset:
    """The dataset with its images checked, completed to pyramids, and read through the cache of chunks.

    ``owner`` names the store among all that share the cache.
    """
    if source.is_isolated:
        dataset = _clearly(path, lambda: isolated(source, store, path, owner))
    else:
        dataset = _clearly(path, lambda: source.open(store, path))

    def finished(role: str, images: Mapping[str, Image]) -> Mapping[str, Image]:
        def made(name: str) -> Image:
            identity = f"{owner}/{path}\0{dataset.version}\0{role}\0{name}"
            return _finished(_clearly(path, lambda: images[name]), path, identity, chunks)

        return Lazily(images, made)

    return replace(
        dataset,
        images=finished("image", dataset.images),
        labels=finished("labels", dataset.labels),
        associated=finished("associated", dataset.associated),
    )


def _finished(image: Image, path: str, identity: str, chunks: ChunkCache) -> Image:
    _check(image, path)
    guarded = replace(image, levels=tuple(_guarded(level, path) for level in image.levels))
    kept = cached(guarded, chunks, identity)
    return with_pyramid(kept, lambda level, name: cached_level(level, chunks, (identity, name)))


def _clearly(path: str, action: Callable[[], T]) -> T:
    """The result of an action, every error of a reader's own being told as Unreadable with the file and the reason."""
    try:
        return action()
    except Unreadable as error:
        if path.rpartition("/")[2] in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
    except DiascopeError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:500]
        raise Unreadable(f"{path}: {reason or 'it cannot be read'} ({type(error).__name__})") from error


def _check(image: Image, path: str) -> None:
    """Raise Unreadable where a header cannot be true."""
    for level in image.levels:
        is_possible = min(level.shape, default=0) > 0 and prod(level.shape) < LARGEST
        if not is_possible or len(level.shape) != len(image.axes):
            raise Unreadable(f"{path}: an image of the shape {level.shape} cannot be")
        if not all(isfinite(scale) and scale > 0 for scale in level.scale) or not all(map(isfinite, level.translation)):
            raise Unreadable(f"{path}: pixels {level.scale} apart, from {level.translation} on, cannot be")
        _check_chunks(level, path)


def _check_chunks(level: Level, path: str) -> None:
    """A chunk is read as a whole, and kept."""
    if len(level.chunk_shape) != len(level.shape) or min(level.chunk_shape) < 1:
        raise Unreadable(f"{path}: chunks of the shape {level.chunk_shape} cannot be")
    if level.dtype.kind not in "biufc":
        raise Unreadable(f"{path}: pixels of the type {level.dtype} cannot be")
    size = prod(map(min, level.chunk_shape, level.shape)) * level.dtype.itemsize
    if size > LARGEST_CHUNK:
        raise Unreadable(f"{path}: chunks of {size} bytes are over the limit of {LARGEST_CHUNK}")


def _guarded(level: Level, path: str) -> Level:
    def read_pixels(region: Region) -> Pixels:
        pixels = _clearly(path, lambda: level.read_pixels(region))
        if pixels.shape != region.shape or pixels.dtype != level.dtype:
            raise Unreadable(
                f"{path}: {region.shape} pixels of {level.dtype} were read as {pixels.shape} of {pixels.dtype}"
            )
        return pixels

    return replace(level, read_pixels=read_pixels)
