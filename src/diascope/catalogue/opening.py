"""Opening a file with the source that knows it, and keeping every trouble a clear error that names the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from diascope.catalogue.guard import Guard, clearly
from diascope.catalogue.refuge import Refuge
from diascope.errors import NotFound, Unreadable
from diascope.image.cache import ChunkCache, cached, cached_level, chunk_cache
from diascope.image.claimed import claimed
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.pyramid import with_pyramid
from diascope.registry import registry
from diascope.settings import MEBIBYTE
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.source import HEAD_SIZE, Head, Source, first_bytes, first_names
from diascope.stores.local import LocalStore
from diascope.stores.store import Stat, Store

if TYPE_CHECKING:
    from os import PathLike

LARGEST = 2**62
"""More pixels than this along all axes together are the mark of a lying header."""

LARGEST_CHUNK = 1 << 32
"""How many bytes have to be in memory at most for one pixel to be read."""


def opened_file(path: str | PathLike[str]) -> Dataset:
    """The dataset of a local file or folder; raises NotFound or Unreadable.

    One that is made of others is so of those in its folder and below.
    """
    full = Path(path).absolute()
    return opened_in(LocalStore(full.parent, follow_links=True), full.name, str(full.parent), os.fspath(path))


def opened_in(store: Store, path: str, owner: str, shown: str) -> Dataset:
    """The same of what lies at a path of a store, which is called otherwise where nothing is there."""
    from diascope.catalogue.members import Pool  # which opens members by this module

    stat = store.stat(path)
    if stat is None:
        raise NotFound(f"there is no file {shown!r}")
    source = source_of(store, path, stat)
    if source is None:
        raise Unreadable(f"{shown}: no source knows this format")
    pool = Pool(store=store, owner=owner, chunks=default_cache(), views={})
    return opened(pool.bound(source), store, path, Owner(owner, default_cache()))


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


def listed_as_image(store: Store, path: str) -> bool:
    """Whether a listing takes a file for an image: by its name, or by its first bytes where others are named so too."""
    name = path.lower()
    if not name.endswith(image_suffixes()):
        return False
    if not name.endswith(_doubtful(tuple(registry("sources")))):
        return True
    try:
        return source_of(store, path, Stat(is_folder=False, size=0, version="")) is not None
    except NotFound:
        return False


def image_suffixes() -> tuple[str, ...]:
    """How the names of images end, in lower case, the longest first."""
    return _suffixes(tuple(registry("sources")))


@cache
def _doubtful(names: tuple[str, ...]) -> tuple[str, ...]:
    """The endings that are doubtful for one of these sources and certain for none."""
    sources = [source for name, source in registry("sources").items() if name in names]
    certain = {each for source in sources for each in source.suffixes if each not in source.doubtful}
    return tuple(each for source in sources for each in source.doubtful if each not in certain)


@cache
def _suffixes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these sources; a listing asks for every name."""
    found = (suffix for name, source in registry("sources").items() if name in names for suffix in source.suffixes)
    return tuple(sorted(found, key=len, reverse=True))


class Owner(NamedTuple):
    """Whose datasets are opened."""

    name: str
    """That of the store, among all that share the cache."""
    chunks: ChunkCache
    changed: Callable[[str], None] = lambda _: None
    """Called with the path when a reader finds that what lies there is no longer what was opened."""


def opened(source: Source, store: Store, path: str, owner: Owner) -> Dataset:
    """The dataset with its images checked, completed to pyramids, and read through the cache of chunks."""
    refuge = Refuge(source, store, path, owner.name)
    dataset = clearly(path, refuge.opened)
    guard = Guard(source, store, path, dataset.version, owner.changed)

    def finished(role: str, images: Mapping[str, Image]) -> Mapping[str, Image]:
        def made(name: str) -> Image:
            identity = f"{owner.name}/{path}\0{dataset.version}\0{role}\0{name}"
            return _finished(guard.run(lambda: refuge.image(role, name, images)), guard, identity, owner.chunks)

        return Lazily(images, made)

    return replace(
        dataset,
        images=finished("images", dataset.images),
        labels=finished("labels", dataset.labels),
        associated=finished("associated", dataset.associated),
    )


def _finished(image: Image, guard: Guard, identity: str, chunks: ChunkCache) -> Image:
    _check(image, guard.path)
    guarded = replace(image, levels=tuple(map(guard.guarded, image.levels)))
    kept = cached(guarded, chunks, identity)
    return claimed(with_pyramid(kept, lambda level, name: cached_level(level, chunks, (identity, name))))


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
