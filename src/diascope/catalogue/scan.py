"""Looking into the folders of a repository, again and again, to keep its index true."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from time import time

from diascope.catalogue.index import FILE, FOLDER, IMAGE, IMAGE_FOLDER, Index, Look, Named
from diascope.catalogue.opening import listed_as_image
from diascope.catalogue.repository import Repository
from diascope.errors import DiascopeError
from diascope.stores.store import Stat

NAMES = 1000
"""So many are looked at in one go."""

LOOKS = 100
"""So many folders are taken from the index at once."""

DEEPEST = 64
"""Folders in folders; deeper ones are loops of links."""

SETTLED = 2.0
"""A folder that changed less than so many seconds before a look may change again within the same tick of the clock."""


def scanned(repository: Repository, index: Index) -> Iterator[None]:
    """Look into all folders that wait to be looked into; each step is short, and whoever stops begins there again."""
    while looks := index.waiting(LOOKS):
        for look in looks:
            yield from _looked_into(repository, index, look)


def swept(repository: Repository, index: Index) -> Iterator[None]:
    """Let those folders wait to be looked into that have changed, and forget those that have gone."""
    after = 0
    while looks := index.looked(after, LOOKS):
        after = looks[-1].id
        index.wait([look for look in looks if _has_changed(repository, look)])
        yield


def _has_changed(repository: Repository, look: Look) -> bool:
    if not look.version:
        return True
    stat = _stat(repository, look.path)
    return stat is None or stat.version != look.version


def _looked_into(repository: Repository, index: Index, look: Look) -> Iterator[None]:
    stat = _stat(repository, look.path)
    if look.path and (stat is None or not stat.is_folder or _is_loop(repository, look.path, stat)):
        index.forget(look)
        return
    index.begin(look)
    try:
        for entries in _entries(repository, look.path):
            index.add(look, entries)
            yield
        index.finish(look, _settled(stat))
    except (DiascopeError, OSError):
        index.abandon()
        index.postpone(look)
    finally:
        index.abandon()


def _entries(repository: Repository, path: str) -> Iterator[list[Named]]:
    found = (Named(name, _what(repository, path, name, is_folder)) for name, is_folder in repository.store.names(path))
    while entries := list(islice(found, NAMES)):
        yield entries


def _what(repository: Repository, folder: str, name: str, is_folder: bool) -> int:
    path = f"{folder}/{name}" if folder else name
    try:
        if not is_folder:
            return IMAGE if listed_as_image(repository.store, path) else FILE
        place = repository.looked_up(path)
    except (DiascopeError, OSError):
        # It cannot be looked into now; the folder that it lies in can.
        return FOLDER if is_folder else FILE
    return IMAGE_FOLDER if place and place.what == "image" else FOLDER


def _stat(repository: Repository, path: str) -> Stat | None:
    try:
        return repository.store.stat(path)
    except (DiascopeError, OSError):
        return None


def _settled(stat: Stat | None) -> str:
    """The version of a folder, none where it may be that of another content too."""
    if stat is None or stat.modified is None or time() - stat.modified < SETTLED:
        return ""
    return stat.version


def _is_loop(repository: Repository, path: str, stat: Stat) -> bool:
    """Whether a folder is one of those that it lies in, by a link."""
    names = path.split("/")
    above = ("/".join(names[:k]) for k in range(len(names)))
    same = (other.version == stat.version for each in above if (other := _stat(repository, each)))
    return len(names) > DEEPEST or (bool(stat.version) and any(same))
