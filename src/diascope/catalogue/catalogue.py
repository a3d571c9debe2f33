"""All the repositories that a server knows, with the memory they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diascope.bounded import BoundedCache, reader_cache
from diascope.catalogue.indexing import index_of
from diascope.catalogue.repository import OpenDatasets, Places, Repository
from diascope.errors import NotFound
from diascope.image.cache import chunk_cache
from diascope.image.level import Pixels
from diascope.image.prefetch import prefetch
from diascope.isolation.limits import limits
from diascope.isolation.pool import pool
from diascope.settings import Settings
from diascope.sources.reading.pictures.decoded import big_pictures
from diascope.stores.configured import shared, store
from diascope.tree.cache import FileCache, file_cache
from diascope.tree.shelves import shelf

PLACES = 20_000
"""How many looks at a store are remembered."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The repositories by name."""

    repositories: Mapping[str, Repository]
    chunks: BoundedCache[Pixels]
    """Decoded chunks of all images."""
    files: FileCache
    """Encoded files of all repositories."""
    max_request: int
    """How many bytes an answer may have that is made at once."""

    def repository(self, name: str) -> Repository:
        """Raises NotFound where there is none of this name."""
        if name not in self.repositories:
            raise NotFound(f"there is no repository {name!r}")
        return self.repositories[name]


def catalogue(settings: Settings, *, indexed: bool = False) -> Catalogue:
    """The repositories of the settings, with their indices if wanted; raises NotFound where one's folder is missing."""
    pool().limit(limits(settings))
    reader_cache.limit(settings.reader_cache)
    big_pictures.limit(settings.decoded_pictures)
    prefetch.is_on = settings.prefetch
    chunks = chunk_cache(settings.chunk_cache)
    datasets: OpenDatasets = BoundedCache(settings.open_datasets, weigh=lambda _: 1)
    places: Places = BoundedCache(PLACES, weigh=lambda _: 1)
    common = shared(settings)
    repositories = {}
    for name, entry in settings.repositories.items():
        if entry.path and not entry.path.is_dir():
            raise NotFound(f"repository {name!r}: there is no folder {str(entry.path)!r}")
        repositories[name] = Repository(
            name=name,
            store=store(entry, common),
            views=entry.views,
            chunks=chunks,
            datasets=datasets,
            places=places,
            refresh_seconds=settings.refresh_seconds,
            index=index_of(entry.url or str(entry.path), settings.index_folder) if indexed else None,
        )
    return Catalogue(repositories, chunks, file_cache(settings.file_cache, shelf(settings)), settings.max_request)
