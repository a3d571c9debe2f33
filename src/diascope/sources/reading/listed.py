"""The version of folders, which change when files are added."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from itertools import islice

from diascope.stores.store import Store

MOST_NAMES = 10_000
"""A place that keeps no time of folders is asked for so many names in one; those beyond are not looked at."""


def listed(store: Store, folders: Iterable[str], files: Iterable[str] = ()) -> str:
    """What changes when a folder gets or loses files, or one of the files named by itself is changed."""
    found = sha256()
    for path in [*folders, *files]:
        stat = store.stat(path)
        told = stat.version if stat else ""
        if stat is not None and stat.is_folder and not told:
            told = "\1".join(sorted(islice((name for name, _ in store.names(path)), MOST_NAMES)))
        found.update(f"{path}\0{told}\0".encode("utf-8", "surrogatepass"))
    return found.hexdigest()[:32]
