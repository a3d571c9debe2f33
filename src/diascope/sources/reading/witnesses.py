"""The version of a folder that is a dataset, by a few looks at the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from diascope.sources.reading.documents import joined
from diascope.stores.store import Store


def witnessed(store: Store, path: str, names: Iterable[str]) -> str:
    """A hash of what the store says of the files and folders of these names in a folder, ``""`` being itself."""
    stats = (store.stat(joined(path, name) if name else path) for name in names)
    return hashlib.sha256("\0".join(stat.version if stat else "" for stat in stats).encode()).hexdigest()[:32]
