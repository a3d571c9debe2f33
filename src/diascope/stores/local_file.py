"""A stored file as libraries want it that read local files only: itself where it is local, else a copy of it."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from diascope.errors import NotFound
from diascope.stores.store import Blob, Store

PIECE = 1 << 23


class LocalFile:
    """A local file that is there for as long as this is held."""

    def __init__(self, path: Path, folder: TemporaryDirectory[str] | None = None) -> None:
        self.path = path
        self._folder = folder


def local_file(store: Store, path: str, *others: str) -> LocalFile:
    """The file at a path of the store; the others, which its library looks for beside it, lie there as they do here.

    Raises NotFound where one of them is missing.
    """
    local = store.local_path(path)
    if local is not None:
        return LocalFile(Path(local))
    folder = TemporaryDirectory(prefix="diascope-")
    for each in (path, *others):
        _copy(store.open(each), Path(folder.name, each))
    return LocalFile(Path(folder.name, path), folder)


def _copy(blob: Blob, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        for start in range(0, blob.stat.size, PIECE):
            data = blob.read(start, min(start + PIECE, blob.stat.size))
            if not data:
                raise NotFound(f"{os.fspath(target.name)} ended while it was copied")
            file.write(data)
