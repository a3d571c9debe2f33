"""A stored file as libraries want it that read local files only: itself where it is local, else a copy of it."""

from __future__ import annotations

import logging
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from diascope.errors import NotFound, Unreadable
from diascope.stores.copies import Copies
from diascope.stores.store import Blob, Store

PIECE = 1 << 23

LONGEST_NAME = 200
"""Bytes of a name that every file system takes."""

log = logging.getLogger(__name__)


class LocalFile:
    """A local file that is there for as long as this is held."""

    def __init__(self, path: Path, lock: BinaryIO | None = None) -> None:
        self.path = path
        self._lock = lock

    def __del__(self) -> None:
        if self._lock is not None:
            self._lock.close()


def local_file(store: Store, path: str, *others: str) -> LocalFile:
    """The file at a path of the store; the others, which its library looks for beside it, lie there as they do here.

    Copies of one version are one copy. Raises NotFound where a file is missing, and Unreadable where they are larger
    than all copies may be.
    """
    local = store.local_path(path)
    if local is not None:
        return LocalFile(Path(local))
    blobs = {each: store.open(each) for each in (path, *others)}
    size = sum(blob.stat.size for blob in blobs.values())
    places = _places(list(blobs))

    def make(folder: Path) -> None:
        log.info("%s is copied, %d bytes: its library reads local files only", path, size)
        for each, blob in blobs.items():
            _copy(blob, folder / places[each], each)

    copies: Copies = getattr(store, "copies", None) or Copies()
    try:
        folder, lock = copies.held(_key(store, blobs), size, make)
    except Unreadable as error:
        raise error if path in str(error) else Unreadable(f"{path}: {error}") from error
    return LocalFile(folder / places[path], lock)


def _key(store: Store, blobs: dict[str, Blob]) -> str:
    """Of these files of this version, and of no other store's."""
    told = [repr(store)]
    for path, blob in blobs.items():
        # Without a version nobody knows whether it is the same another time.
        told += [path, str(blob.stat.size), blob.stat.version or uuid4().hex]
    return sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _places(paths: list[str]) -> dict[str, str]:
    """Where each lies in the folder of the copy: as they do to each other, with names that a file system takes."""
    parents = [path.split("/")[:-1] for path in paths]
    common = 0
    while all(len(parts) > common and parts[common] == parents[0][common] for parts in parents):
        common += 1
    return {path: "/".join(_name(part) for part in path.split("/")[common:]) for path in paths}


def _name(name: str) -> str:
    """The same where every file system takes it, else one that ends alike."""
    if name not in {"", ".", ".."} and name.isprintable() and len(name.encode()) <= LONGEST_NAME:
        return name
    ending = "".join(c for c in name[-40:] if c.isascii() and (c.isalnum() or c in "._-"))
    return f"{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}-{ending}"


def _copy(blob: Blob, target: Path, path: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        for start in range(0, blob.stat.size, PIECE):
            data = blob.read(start, min(start + PIECE, blob.stat.size))
            if not data:
                raise NotFound(f"{path} ended while it was copied")
            file.write(data)
