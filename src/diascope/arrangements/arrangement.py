"""What an arrangement is: a mapping file says which files of a repository are shown where, and this record reads it.

A kind of arrangement is one file and one entry point of ``diascope.arrangements``, and one of ``diascope.documents``
with its model, whose JSON Schema is published. Its ``contents`` is called at the first look, and again when something
that it asked of ``Seen`` has changed; it gives ``Contents``: paths with links and files that are made. It opens no
image unless it must to say where something lies. Everything else is done once for all kinds, in ``arranged.py``:
reading and refreshing, the tree, identity, troubles, and ``arranged.problems`` for whoever checks.

    class Study(MappingFile):
        arrangement: Literal["study"]
        files: PatternText

    def contents(seen: Seen, written: Written[Study]) -> Contents:
        found = Contents()
        repository = seen.repository(written.says.repository)
        for each in seen.files(repository, pattern(written.says.files).folder):
            ...
            for target, link in links("a/b.ome.tif", Link(f"{repository.name}/{each.path}", layout="ome-tiff")):
                found.add(target, link)
        found.add("README", Made(lambda: b"..."))
        return found
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import Field

from diascope.arrangements.contents import Contents, Link
from diascope.arrangements.seen import Seen
from diascope.document import Document, Key, Located, located, malformed, validated
from diascope.layouts.layout import Layout
from diascope.registry import registry


class MappingFile(Document):
    """The beginning of every mapping file."""

    arrangement: str = Field(description="The kind of arrangement, such as `template`.")
    repository: str | None = Field(
        None,
        description="The repository whose files are arranged; without it the only one there is, or the one that the "
        "mapping lies in.",
    )


P = TypeVar("P", bound=MappingFile)


@dataclass(frozen=True, slots=True)
class Written(Generic[P]):
    """A mapping file that was read."""

    name: str
    says: P
    document: Located

    def told(self, key: Key, reason: str) -> str:
        """A sentence about what stands at a path of keys, with the file and the line."""
        return self.document.problem(key, reason).told(self.name)

    def origin(self, key: Key) -> str:
        """The place of it alone, such as ``study.yaml, line 12, rules[0]``."""
        return self.told(key, "").removesuffix(": ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement(Generic[P]):
    """A way to lay files out."""

    name: str
    title: str
    parameters: type[P]
    """What its mapping files say."""
    contents: Callable[[Seen, Written[P]], Contents]
    """Raises a DiascopeError only where nothing can be shown; trouble of single files is a Trouble at their path, or
    one of the problems where no path can be told."""


def arrangements() -> Mapping[str, Arrangement[Any]]:
    """The kinds of arrangements by name."""
    return registry("arrangements")


def written(text: bytes, name: str) -> tuple[Arrangement[Any], Written[Any]]:
    """What a mapping file says, and the kind that it names; raises Malformed with everything that is wrong."""
    document = located(text, name)
    says = document.value
    kind = says.get("arrangement") if isinstance(says, dict) else None
    if not isinstance(kind, str) or kind not in arrangements():
        known = " or ".join(map(repr, arrangements()))
        raise malformed(name, [document.problem(("arrangement",), f"it is {known}, not {kind!r}")])
    arrangement = arrangements()[kind]
    return arrangement, Written(name, validated(document, arrangement.parameters, name), document)


def links(target: str, link: Link) -> Iterator[tuple[str, Link]]:
    """A link at a path, and those to the layout's companions, such as the folder of tiles beside a ``.dzi``.

    Companions follow where the path ends in the layout's own suffix.
    """
    layout: Layout | None = registry("layouts")[link.layout] if link.layout else None
    if layout is None:
        yield target, link
        return
    known = link.suffix is not None
    yield target, link if known else replace(link, is_folder=layout.is_folder, suffix=layout.suffix)
    if not target.endswith(layout.suffix):
        return
    for companion in layout.companions:
        # Companions that are files of their own have the beginning of an own suffix.
        yield (
            target.removesuffix(layout.suffix) + companion,
            replace(link, suffix=companion, is_folder=not companion.endswith(layout.suffix)),
        )
