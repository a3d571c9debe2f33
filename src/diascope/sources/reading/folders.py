"""What lies in the folders of a store that are datasets made of folders."""

from __future__ import annotations

from itertools import islice

from diascope.errors import NotFound
from diascope.sources.reading.documents import is_safe
from diascope.sources.reading.names.natural import natural
from diascope.stores.store import Store

MOST_FOLDERS = 20_000
"""In one folder, and in all of a dataset; those beyond are not looked at."""


def subfolders(store: Store, path: str) -> list[str]:
    """The names of the folders in a folder as people count them, none where there is no such folder."""
    try:
        names = [name for name, is_folder in islice(store.names(path), MOST_FOLDERS) if is_folder and is_safe(name)]
    except NotFound:
        return []
    return sorted(names, key=natural)
