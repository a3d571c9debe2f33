"""The root tree: the repositories by name, and beside them the arrangements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from diascope.arrangements.arranged import Arranged
from diascope.arrangements.by_name import ByName
from diascope.arrangements.target import checked
from diascope.catalogue.catalogue import Catalogue
from diascope.errors import BadRequest, DiascopeError
from diascope.settings import ArrangementSettings, Settings
from diascope.stores.local import LocalStore
from diascope.tree.file import Entry, File
from diascope.tree.order import entries_from, key

TOLD = 100
"""How many problems of an arrangement are told at once."""


@dataclass(frozen=True, slots=True)
class Root:
    """What every door serves."""

    tree: ByName
    arrangements: Mapping[str, Arranged]

    def file(self, path: str) -> File | None:
        name, slash, rest = path.partition("/")
        if name not in self.arrangements:
            return self.tree.file(path)
        return self.arrangements[name].file(rest) if slash and rest else None

    def known(self, path: str) -> File | None:
        """The file at a path of no arrangement, where it is known what the path leads to, and that it is canonical."""
        return self.tree.known(path)

    def entries(self, path: str) -> Iterator[Entry] | None:
        name, _, rest = path.partition("/")
        if not path:
            return (Entry(name, is_folder=True) for name in (*self.tree.catalogue.repositories, *self.arrangements))
        return self.arrangements[name].entries(rest) if name in self.arrangements else self.tree.entries(path)

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        """As ``diascope.tree.order`` wants them."""
        name, _, rest = path.partition("/")
        if not path:
            named = self.entries("") or ()
            return iter(sorted((entry for entry in named if key(entry) >= start), key=key))
        if name in self.arrangements:
            return self.arrangements[name].entries_from(rest, start)
        return entries_from(self.tree, path, start)

    def canonical(self, path: str) -> str:
        """The path with its view in the canonical spelling, if it has one."""
        return path if path.partition("/")[0] in self.arrangements else self.tree.canonical(path)

    def told(self) -> list[dict[str, Any]]:
        """What there is of each arrangement, and what is wrong with it as far as no image need be opened."""
        return [
            {"name": name, "url": f"/data/{quote(name)}/", **_told(each)} for name, each in self.arrangements.items()
        ]


def _told(arrangement: Arranged) -> dict[str, Any]:
    try:
        contents = arrangement.contents
    except DiascopeError as error:
        problems = str(error).splitlines()
        return {"kind": arrangement.kind, "files": 0, "problems": problems[:TOLD], "more": len(problems) > TOLD}
    return {
        "kind": arrangement.kind,
        "files": contents.count,
        "problems": contents.problems[:TOLD],
        "more": len(contents.problems) > TOLD,
    }


def root(settings: Settings, images: Catalogue) -> Root:
    """The root tree of the settings; raises BadRequest where an arrangement's name or repository cannot be."""
    tree = ByName(images)
    return Root(tree, {name: arranged(tree, settings, name, each) for name, each in settings.arrangements.items()})


def arranged(tree: ByName, settings: Settings, name: str, entry: ArrangementSettings) -> Arranged:
    """The arrangement of this name; nothing of it is read before it is looked at."""
    repositories = tree.catalogue.repositories
    if name in repositories:
        raise BadRequest(f"the arrangement {name!r} has the name of a repository: name one of them otherwise")
    if not name or "/" in name or name in {".", ".."}:
        raise BadRequest(f"{name!r} is no name for an arrangement")
    make = partial(Arranged, tree=tree, refresh_seconds=settings.refresh_seconds)
    if entry.repository is None:
        full = settings.beside(entry.mapping)
        store = LocalStore(full.parent, follow_links=True)
        return make(store=store, path=full.name, name=full.name, allowed=lambda: tuple(repositories))
    if entry.repository not in repositories:
        raise BadRequest(f"the arrangement {name!r} names the repository {entry.repository!r}, which there is none")
    inside = (entry.repository,)
    try:
        path = checked(entry.mapping.as_posix())
    except ValueError as error:
        raise BadRequest(f"the arrangement {name!r}: {error}") from error
    return make(store=repositories[entry.repository].store, path=path, name=path, allowed=lambda: inside)
