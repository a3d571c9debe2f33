"""What a worker is told of a store: where it lies where it is local, and else no more than a name."""

from __future__ import annotations

import os
from hashlib import sha256

from diascope.isolation.channel import Message
from diascope.stores.copies import Copies, default_folder
from diascope.stores.local import LocalStore
from diascope.stores.store import Store


def copies_of(store: Store) -> Copies:
    """Where local copies of a store's files lie."""
    copies: Copies = getattr(store, "copies", None) or Copies()
    return copies


def store_told(store: Store) -> Message:
    """Of any store but a local one the worker asks the server, which alone has its address and its credentials."""
    if type(store) is LocalStore:
        return {"root": os.path.abspath(store.root), "follow_links": store.follow_links}  # noqa: PTH100
    copies = copies_of(store)
    name = sha256(repr(store).encode("utf-8", "surrogatepass")).hexdigest()
    return {"name": name, "copies": str(copies.folder or default_folder()), "max_bytes": copies.max_bytes}
