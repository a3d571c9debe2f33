"""Files that a view names, which lie beside the image."""

from __future__ import annotations

from diascope.errors import BadRequest, TooLarge
from diascope.stores.store import Stat, Store

LARGEST_BESIDE = 1 << 20
"""How many bytes a file has at most that a view names."""


def beside(store: Store, folder: str, name: str) -> tuple[str, str]:
    """Path and version of the file of this name in a folder or the nearest one above it; raises TooLarge."""
    path, stat = found_beside(store, folder, name)
    if (stat.size or 0) > LARGEST_BESIDE:
        raise TooLarge(f"{path}: {stat.size} bytes are over the limit of {LARGEST_BESIDE}")
    return path, stat.version


def found_beside(store: Store, folder: str, name: str, *, or_folder: bool = False) -> tuple[str, Stat]:
    """The same of a file of any size, or of a folder."""
    names = folder.split("/") if folder else []
    for k in range(len(names), -1, -1):
        path = "/".join([*names[:k], name])
        stat = store.stat(path)
        if stat and (or_folder or not stat.is_folder):
            return path, stat
    raise BadRequest(f"there is no file {name!r} in the folder of the image, nor in one above it")


def bytes_beside(store: Store, folder: str, name: str) -> bytes:
    """The bytes of that file."""
    data = store.read(beside(store, folder, name)[0])
    if data is None:
        raise BadRequest(f"the file {name!r} has just gone")
    return data
