"""What paths lead to, known for as long as nothing on the way need be looked at again."""

from __future__ import annotations

from typing import NamedTuple

from diascope.catalogue.repository import Repository, Sight
from diascope.tree.file import Tree

MOST = 1000
"""How many representations are known at once; then all of them are forgotten."""


class Led(NamedTuple):
    """A tree that all the paths with the same first names lead into."""

    tree: Tree
    start: int
    """Where in such a path the path within the tree begins."""
    is_canonical: bool
    """Whether the view on the way is spelled canonically."""
    repository: Repository
    sight: Sight
    """That of the repository before the way was gone."""


class Known:
    """The trees by the paths that lead into them, which are forgotten once one of them has to be looked at again."""

    def __init__(self) -> None:
        self._trees: dict[str, Led] = {}
        self._lengths: tuple[int, ...] = ()
        """Of these paths, in names."""

    def led(self, path: str) -> Led | None:
        """Where a path leads, if that is known."""
        trees = self._trees
        for length in self._lengths:
            names = path.split("/", length)
            led = trees.get(path[: -1 - len(names[length])] if len(names) > length else path)
            if led is not None:
                if led.repository.holds(led.sight):
                    return led
                # Not only this one: what nobody asks for any more must not stay open.
                self._trees = {}
                return None
        return None

    def forget(self) -> None:
        """Nothing is known any more, and nothing kept open by it."""
        self._trees = {}

    def keep(self, path: str, led: Led) -> None:
        """From now on it is known where all paths lead whose first names are these."""
        length = path.count("/") + 1
        if length not in self._lengths:
            self._lengths = tuple(sorted((*self._lengths, length)))
        if len(self._trees) >= MOST:
            self._trees = {}
        self._trees[path] = led
