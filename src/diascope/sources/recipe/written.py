"""Recipe files as they were read, with the places of what they say."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import lru_cache

from diascope.document import LARGEST, Key, Located, Problem, located, malformed, validated
from diascope.errors import Malformed, Unreadable
from diascope.sources.recipe.model import AnyRecipe, Recipe
from diascope.stores.store import Store

SUFFIX = ".recipe.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A recipe and where it lies."""

    path: str
    text: bytes
    document: Located
    recipe: AnyRecipe

    def wrong(self, key: Key, reason: str) -> Malformed:
        """The error for what is wrong with what stands at a key."""
        return self.wrongs([self.document.problem(key, reason)])

    def wrongs(self, problems: list[Problem]) -> Malformed:
        return malformed(self.path, problems)

    def beside(self, file: str, key: Key) -> str:
        """The path in the repository of a file that is named at a key; raises Malformed where it leads out of it."""
        folder = posixpath.dirname(self.path)
        path = posixpath.normpath(posixpath.join(folder, file))
        if file.startswith("/") or path.split("/")[0] in {"..", "."}:
            raise self.wrong(key, f"{file!r} leads out of the repository")
        if "\0" in file or any(name.startswith(".") for name in path.split("/")):
            raise self.wrong(key, f"{file!r} is hidden")
        return path


def is_recipe(path: str) -> bool:
    return path.lower().endswith(SUFFIX)


def written(store: Store, path: str) -> Written:
    """The recipe at a path; raises Malformed with everything that is wrong with it."""
    return _written(path, small(store, path))


def small(store: Store, path: str, most: int = LARGEST) -> bytes:
    """The bytes of a file that people write; raises Unreadable where it is missing or too large."""
    stat = store.stat(path)
    if stat is None or stat.is_folder:
        raise Unreadable(f"{path}: there is no such file")
    if stat.size > most:
        raise Unreadable(f"{path}: it has {stat.size} bytes; the limit is {most}")
    return store.read(path) or b""


@lru_cache(maxsize=16)
def _written(path: str, text: bytes) -> Written:
    document = located(text, path)
    return Written(path, text, document, validated(document, Recipe, path).root)
