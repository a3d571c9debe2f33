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

    def led(self, path: str) -> Led | None:
        """Where a path leads, if that is known."""
        trees = self._trees
        if not trees:
            return None
        end = path.find("/")
        while end > 0:
            if path[:end] in trees:
                return self._current(trees[path[:end]])
            end = path.find("/", end + 1)
        return self._current(trees[path]) if path in trees else None

    def keep(self, path: str, led: Led) -> None:
        """From now on it is known where all paths lead whose first names are these."""
        if len(self._trees) >= MOST:
            self._trees = {}
        self._trees[path] = led

    def _current(self, led: Led) -> Led | None:
        if led.repository.sight() == led.sight:
            return led
        # Not only this one: what nobody asks for any more must not stay open.
        self._trees = {}
        return None
