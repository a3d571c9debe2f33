"""An open HDF5 file, and those beside it that its links lead to."""

from __future__ import annotations

from atexit import register
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from diascope.bounded import BoundedCache
from diascope.errors import Changed, Unreadable
from diascope.optional import library
from diascope.sources.reading.h5.paged import Paged
from diascope.stores.store import Blob, Store

EXTRA = "hdf5"
SIGNATURE = b"\x89HDF\r\n\x1a\n"
PLACES = (0, 512, 1024, 2048)
"""Where the superblock may lie, behind a block of the user's own, among the first bytes of a file."""

OPEN = 64
"""How many files that links lead to are held open."""


class NotTaken(Unreadable):
    """An object is no array of numbers, is broken, or lies in another file; those beside it may be read all the same.

    What a store has to tell is another error, which leaves nothing to be read.
    """


def is_hdf5(first: bytes) -> bool:
    """Whether the first bytes of a file have a superblock."""
    return any(first[place : place + len(SIGNATURE)] == SIGNATURE for place in PLACES)


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """An open file, which may be read by many threads: the library takes one at a time."""

    blob: Blob
    h5: Any
    """h5py's file."""


def open_file(store: Store, path: str) -> File:
    """Raises Unreadable with what the library says of it."""
    h5py = library("h5py", EXTRA)
    blob = store.open(path)
    try:
        file = File(blob, h5py.File(Paged(blob), "r"))
    except OSError as error:
        raise Unreadable(f"{path}: it cannot be opened as HDF5: {error}") from error
    _open.add(file.h5)
    return file


_open: WeakSet[Any] = WeakSet()


@register
def _close() -> None:
    """At the end of the process, before Python is taken down: the library would call its file objects after that."""
    for file in list(_open):
        file.close()


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """A file, and those that its external links may lead to."""

    store: Store
    path: str
    main: File
    beside: Mapping[str, str] = field(default_factory=dict)
    """Their names, in the folder of the file, with the version that each must have."""
    _linked: BoundedCache[File] = field(default_factory=lambda: BoundedCache(OPEN, weigh=lambda _: 1))

    def linked(self, name: str) -> Files:
        """The file that a link names, whose own links are not followed.

        Raises Unreadable where it is none of those beside this one.
        """
        plain = name.removeprefix("./")
        if plain not in self.beside:
            raise NotTaken(f"a link leads to the file {name[:200]!r}, which is not followed")
        folder = self.path.rpartition("/")[0]
        path = f"{folder}/{plain}" if folder else plain
        file = self._linked.get(plain, lambda: open_file(self.store, path))
        if file.blob.stat.version != self.beside[plain]:
            raise Changed(f"{path} has changed since the file that leads to it was opened")
        return Files(self.store, path, file)


def files(store: Store, path: str, beside: Mapping[str, str] | None = None) -> Files:
    """Raises Unreadable where the file cannot be opened."""
    return Files(store, path, open_file(store, path), beside or {})
