"""The names in a folder in the order of keys, out of the index where that knows them."""

from __future__ import annotations

from collections.abc import Iterator

from diascope.catalogue.index import Index, Named
from diascope.catalogue.opening import listed_as_image
from diascope.stores.store import Store
from diascope.tree.order import BLOCK, in_blocks


def ordered_names(store: Store, index: Index | None, path: str, start: str) -> Iterator[tuple[str, bool]]:
    """The names with whether each is a folder, from a key on; a block of them is in memory at a time.

    A folder that may have changed since it was looked into is read again for each block.
    """
    while index is not None and (page := _page(store, index, path, start)) is not None:
        yield from ((each.name, each.is_folder) for each in page)
        if len(page) < BLOCK:
            return
        start = f"{page[-1].key}\0"
    yield from in_blocks(lambda: store.names(path), lambda found: _key(store, path, *found), start)


def _page(store: Store, index: Index, path: str, start: str) -> list[Named] | None:
    stat = store.stat(path)
    return index.page(path, stat.version, start, BLOCK) if stat else None


def _key(store: Store, folder: str, name: str, is_folder: bool) -> str:
    return f"{name}/" if is_folder or listed_as_image(store, f"{folder}/{name}" if folder else name) else name
