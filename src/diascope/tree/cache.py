"""Encoded files kept in memory, so that the same bytes are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TypeAlias

from diascope.bounded import ENTRY, BoundedCache
from diascope.tree.file import Entry, File, Tree, in_memory
from diascope.tree.order import entries_from
from diascope.tree.shelf import Shelf
from diascope.work import about

FileCache: TypeAlias = BoundedCache[bytes]


def file_cache(max_bytes: int, shelf: Shelf | None = None) -> FileCache:
    """An empty cache of files, shared by all trees; what is not in it is looked for on the shelf."""
    return BoundedCache(max_bytes, lambda data: ENTRY + len(data), shelf.got if shelf else None)


@dataclass(frozen=True, slots=True)
class Identified:
    """The same tree, each file with an ETag of ``identity`` and its path, and kept where it is made as a whole."""

    tree: Tree
    identity: str
    """Of the dataset's version and the canonical view: it changes whenever a byte might."""
    cache: FileCache
    source: str = ""
    layout: str = ""
    """What makes it, which is said of the work that looks for a file (``diascope.work``)."""
    _hash: blake2b = field(init=False, repr=False, compare=False)
    """Of the identity."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", blake2b(self.identity.encode(errors="surrogateescape"), digest_size=16))

    def file(self, path: str) -> File | None:
        about(self.source, self.layout)
        file = self.tree.file(path)
        if file is None:
            return None
        etag = self._tagged(path)
        if file.located:
            return replace(file, etag=etag, located=self._located(file.located, path))
        if file.cheap or file.size is not None:
            # As replace does, in half the time.
            kind, moved = file.media_type, file.moved
            return File(media_type=kind, size=file.size, read=file.read, etag=etag, cheap=file.cheap, moved=moved)
        kept = self.cache.kept(etag)
        if kept is not None:
            return replace(in_memory(kept, file.media_type), etag=etag)

        def read(start: int, stop: int | None) -> bytes:
            return self.cache.get(etag, lambda: file.read(0, None))[start:stop]

        return replace(file, etag=etag, read=read)

    def _tagged(self, path: str) -> str:
        """Of the identity and the path."""
        made = self._hash.copy()
        made.update(b"\0" + path.encode(errors="surrogateescape"))
        return made.hexdigest()

    def _located(self, located: Callable[[str], File], path: str) -> Callable[[str], File]:
        """Files that differ by URL differ by ETag."""

        def file(url: str) -> File:
            return replace(located(url), etag=self._tagged(f"{path}\0{url}"))

        return file

    def entries(self, path: str) -> Iterator[Entry] | None:
        return self.tree.entries(path)

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        return entries_from(self.tree, path, start)
