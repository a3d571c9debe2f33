"""Trees made of trees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from diascope.tree.file import Entry, File, Tree


@dataclass(frozen=True, slots=True)
class Branch:
    """A folder whose children are trees, each made when it is first walked into."""

    names: Callable[[], Iterable[str]]
    """The children that are listed; others may be walked into."""
    child: Callable[[str], Tree | None]

    def file(self, path: str) -> File | None:
        name, _, rest = path.partition("/")
        tree = self.child(name) if rest else None
        return tree.file(rest) if tree else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        if not path:
            return (Entry(name, is_folder=True) for name in self.names())
        name, _, rest = path.partition("/")
        tree = self.child(name)
        return tree.entries(rest) if tree else None


@dataclass(frozen=True, slots=True)
class Below:
    """What lies below a folder of a tree."""

    tree: Tree
    folder: str

    def file(self, path: str) -> File | None:
        return self.tree.file(f"{self.folder}/{path}") if path else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        return self.tree.entries(f"{self.folder}/{path}" if path else self.folder)
