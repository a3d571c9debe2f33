"""A folder that a program is listing: its entries are made as far as there is room for them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from threading import Lock

from diascope.access.attributes import Attributes, inode
from diascope.errors import NotFound
from diascope.tree.file import Entry, Tree


@dataclass(slots=True)
class OpenFolder:
    """A folder that a program is listing, from where it is on."""

    path: str
    entries: Iterator[Entry] = field(default_factory=lambda: iter(()))
    position: int = -1
    """The number of the entry that comes next."""
    last: Entry | None = None
    """The entry before it, for which there may have been no room."""
    lock: Lock = field(default_factory=Lock)


def listed(folder: OpenFolder, tree: Tree, offset: int) -> Iterator[tuple[str, Attributes, int]]:
    """Each entry with the place behind it; ``.`` and ``..`` have the first two."""
    if folder.last is not None and folder.position == offset + 1:
        yield _numbered(folder, folder.last)
    elif folder.position != offset:
        entries = tree.entries(folder.path)
        if entries is None:
            raise NotFound(folder.path)
        dots = (Entry(".", is_folder=True), Entry("..", is_folder=True))
        named = (entry for entry in entries if _is_name(entry.name))
        folder.entries, folder.position, folder.last = islice(chain(dots, named), offset, None), offset, None
    for entry in folder.entries:
        folder.position, folder.last = folder.position + 1, entry
        yield _numbered(folder, entry)


def _numbered(folder: OpenFolder, entry: Entry) -> tuple[str, Attributes, int]:
    mode = stat.S_IFDIR if entry.is_folder else stat.S_IFREG
    return entry.name, {"st_mode": mode, "st_ino": inode(f"{folder.path}/{entry.name}".lstrip("/"))}, folder.position


def _is_name(name: str) -> bool:
    """Whether a folder of the kernel's can have it."""
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name
