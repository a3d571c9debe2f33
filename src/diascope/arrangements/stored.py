"""Files as they lie in their repository."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from diascope.catalogue.repository import Place, Repository
from diascope.errors import DiascopeError
from diascope.stores.store import Store
from diascope.tree.file import Entry, File, Tree


def stored_file(store: Store, path: str) -> File | None:
    """A stored file, None where there is none at this path."""
    stat = store.stat(path)
    if stat is None or stat.is_folder:
        return None
    blob = store.open(path)
    return File(
        media_type=mimetypes.guess_type(path)[0] or "application/octet-stream",
        size=blob.stat.size,
        read=lambda start, stop: blob.read(start, blob.stat.size if stop is None else stop),
        etag=sha256(f"{path}\0{blob.stat.version}".encode()).hexdigest()[:32],
    )


@dataclass(frozen=True, slots=True)
class FileTree:
    """A single file at the empty path."""

    store: Store
    path: str

    def file(self, path: str) -> File | None:
        return None if path else stored_file(self.store, self.path)

    def entries(self, path: str) -> Iterator[Entry] | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class StoredTree:
    """The files and folders of a dataset by their names, as they lie beside one another."""

    store: Store
    folder: str
    """The folder they lie in, with a slash behind it, or nothing for the root."""
    names: tuple[str, ...]

    def file(self, path: str) -> File | None:
        return stored_file(self.store, self.folder + path) if self._has(path) else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        if not path:
            stats = ((name, self.store.stat(self.folder + name)) for name in self.names)
            return (Entry(name, stat.is_folder) for name, stat in stats if stat)
        stat = self.store.stat(self.folder + path) if self._has(path) else None
        if stat is None or not stat.is_folder:
            return None
        return (Entry(name, is_folder) for name, is_folder in sorted(self.store.names(self.folder + path)))

    def _has(self, path: str) -> bool:
        return path.partition("/")[0] in self.names


def file_tree(store: Store, path: str) -> Tree:
    """The tree of a file that is no image."""
    return FileTree(store, path)


def stored_tree(repository: Repository, place: Place) -> Tree:
    """The stored files of an image; of an unreadable one the file itself."""
    try:
        files = repository.opened(place).dataset.files or (place.path,)
    except DiascopeError:
        files = (place.path,)
    folder = place.path.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    # Companions beside or below the main file; nothing above it.
    names = dict.fromkeys(path[len(prefix) :].partition("/")[0] for path in files if path.startswith(prefix))
    return StoredTree(repository.store, prefix, tuple(names))
