"""The version of a recipe: of its text, its tables and all that it is made of, none of which is opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from diascope.document import Problem
from diascope.errors import DiascopeError, Malformed, Unreadable
from diascope.sources.members import Member, Members
from diascope.sources.recipe.model import Series
from diascope.sources.recipe.planned import Plan, Planned, planned
from diascope.sources.recipe.written import Written, is_recipe, written
from diascope.stores.store import Store

DEEPEST = 8
"""How many recipes are made of one another at the most."""
MOST_RECIPES = 200
"""How many recipes one is made of at the most, all together."""


class Known(NamedTuple):
    """A recipe with its plan, and what was seen of its files."""

    written: Written
    plan: Plan
    versions: dict[Member, str]
    """Of the members that are there, empty of recipes, which look after their own."""
    version: str


@dataclass(slots=True)
class Looked:
    """What was looked at on the way."""

    store: Store
    members: Members
    done: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    """The text of which the version is a fingerprint."""

    def look(self, path: str, chain: tuple[str, ...]) -> tuple[Written, Plan, dict[Member, str]]:
        """Look at a recipe and all that it is made of; raises Malformed for a cycle, with the way that it goes."""
        if len(self.done) + len(chain) > MOST_RECIPES:
            raise Unreadable(f"{path}: it is made of more than {MOST_RECIPES} recipes")
        text = written(self.store, path)
        plan = planned(self.store, self.members, text)
        self.seen += [path, text.text.decode("utf-8", "replace")]
        self.seen += [f"{name}\0{table.decode('utf-8', 'replace')}" for name, table in plan.tables]
        versions: dict[Member, str] = {}
        missing = list(self._missing(text, plan, versions, (*chain, path)))
        if missing:
            raise text.wrongs(missing)
        self.done.add(path)
        return text, plan, versions

    def _missing(
        self, text: Written, plan: Plan, versions: dict[Member, str], chain: tuple[str, ...]
    ) -> Iterator[Problem]:
        for part in plan.parts:
            path = part.member.path
            version = self._version(text, part)
            if version is None and not (isinstance(text.recipe, Series) and text.recipe.missing == "fill"):
                yield text.document.problem((*part.key, "file"), f"there is no file {path!r}")
            if version is not None:
                versions[part.member] = "" if is_recipe(path) else version
            if version is not None and is_recipe(path):
                self._inner(text, part, chain)
            self.seen.append(f"{part.at}\0{part.member}\0{version}")

    def _version(self, text: Written, part: Planned) -> str | None:
        try:
            return self.members.version(part.member)
        except DiascopeError as error:
            raise text.wrong((*part.key, "file"), f"{part.member.path}: {error}") from error

    def _inner(self, text: Written, part: Planned, chain: tuple[str, ...]) -> None:
        path = part.member.path
        if path in chain:
            told = " → ".join([*chain[chain.index(path) :], path])
            raise text.wrong((*part.key, "file"), f"it would be made of itself: {told}")
        if len(chain) == DEEPEST:
            told = " → ".join([*chain, path])
            raise text.wrong((*part.key, "file"), f"recipes are made of one another more than {DEEPEST} deep: {told}")
        if path not in self.done:
            self.look(path, chain)


def known(store: Store, members: Members, path: str) -> Known:
    """The recipe at a path with its version; raises Malformed with what is wrong with it or with what it is made of."""
    looked = Looked(store, members)
    try:
        text, plan, versions = looked.look(path, ())
    except Malformed:
        raise
    except Unreadable as error:
        raise error if path in str(error) else Unreadable(f"{path}: {error}") from error
    fingerprint = sha256("\1".join(looked.seen).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Known(text, plan, versions, fingerprint)
