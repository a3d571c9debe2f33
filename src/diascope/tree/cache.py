"""Encoded files kept in memory, so that the same bytes are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeAlias

from diascope.bounded import ENTRY, BoundedCache
from diascope.tree.file import Entry, File, Tree
from diascope.tree.order import entries_from

FileCache: TypeAlias = BoundedCache[bytes]


def file_cache(max_bytes: int) -> FileCache:
    """An empty cache of files, shared by all trees."""
    return BoundedCache(max_bytes, weigh=lambda data: ENTRY + len(data))


@dataclass(frozen=True, slots=True)
class Identified:
    """The same tree, each file with an ETag of ``identity`` and its path, and kept where it is made as a whole."""

    tree: Tree
    identity: str
    """Of the dataset's version and the canonical view: it changes whenever a byte might."""
    cache: FileCache

    def file(self, path: str) -> File | None:
        file = self.tree.file(path)
        if file is None:
            return None
        etag = sha256(f"{self.identity}\0{path}".encode()).hexdigest()[:32]
        if file.located:
            return replace(file, etag=etag, located=self._located(file.located, path))
        if file.cheap or file.size is not None:
            return replace(file, etag=etag)

        def read(start: int, stop: int | None) -> bytes:
            return self.cache.get(etag, lambda: file.read(0, None))[start:stop]

        return replace(file, etag=etag, read=read)

    def _located(self, located: Callable[[str], File], path: str) -> Callable[[str], File]:
        """Files that differ by URL differ by ETag."""

        def file(url: str) -> File:
            return replace(located(url), etag=sha256(f"{self.identity}\0{path}\0{url}".encode()).hexdigest()[:32])

        return file

    def entries(self, path: str) -> Iterator[Entry] | None:
        return self.tree.entries(path)

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        return entries_from(self.tree, path, start)
