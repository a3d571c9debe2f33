"""``diascope ls``: what lies at an address."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from diascope.commands.tree_at import tree_at
from diascope.errors import NotFound
from diascope.tree.file import Entry, Tree


def lines(address: str, most: int, *, long: bool) -> Iterator[str]:
    """A line an entry, folders with a slash behind their names; raises NotFound where nothing is there."""
    tree, path = tree_at(address)
    entries = tree.entries(path)
    if entries is None:
        name = path.rpartition("/")[2]
        if tree.file(path) is None:
            raise NotFound(f"there is nothing at {address!r}")
        entries, path = iter([Entry(name, is_folder=False)]), path.rpartition("/")[0]
    shown = list(islice(entries, most + 1))
    yield from (_line(tree, path, entry, long=long) for entry in shown[:most])
    if len(shown) > most:
        yield f"… more than {most}: see --most"


def _line(tree: Tree, folder: str, entry: Entry, *, long: bool) -> str:
    name = f"{entry.name}/" if entry.is_folder else entry.name
    if not long:
        return name
    file = None if entry.is_folder else tree.file(f"{folder}/{entry.name}".strip("/"))
    size = "-" if file is None or file.size is None else str(file.size)
    return f"{size:>16}  {file.media_type if file else 'folder':<28}  {name}"
