"""What an arrangement shows: folders of links into the root tree, small files that are made, and troubles.

Nothing here opens an image. ``Contents.add`` puts one thing at one path; where a path is wanted twice, or is a file and
a folder, it becomes a trouble that names both, and so does everything below it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from diascope.arrangements.target import checked
from diascope.errors import DiascopeError, Malformed, TooLarge, Unreadable
from diascope.tree.file import Entry
from diascope.tree.order import key

MOST = 2_000_000
"""How many files and links an arrangement has at the most."""


@dataclass(frozen=True, slots=True)
class Link:
    """An image in a layout under a view, or a file or image as it is stored: its bytes are those of the root tree."""

    path: str
    """In the root tree: ``repository/folders/image``, with ``/scene`` behind it where a file has several images."""
    view: str = "original"
    layout: str | None = None
    """The name of the layout; without one it is what is stored."""
    suffix: str | None = None
    """What follows the image's name, where it is a companion of the layout's own file."""
    is_folder: bool = False
    """Whether it is a folder; ``links`` knows it of layouts."""
    origin: str = ""
    """Who wants it, for clashes: such as ``study.yaml, line 12, rules[0]``."""

    def __str__(self) -> str:
        return self.path if self.layout is None else f"{self.path} as {self.layout} of {self.view}"


@dataclass(frozen=True, slots=True)
class Made:
    """A small file whose bytes are made each time it is looked up: whatever they are made of, they are never stale."""

    make: Callable[[], bytes]
    """Raises a DiascopeError where it cannot be made, which is told; called from many threads."""
    media_type: str = "text/plain; charset=utf-8"
    origin: str = ""

    @property
    def is_folder(self) -> bool:
        return False

    def __str__(self) -> str:
        return "a file that is made"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A path that should be something and cannot be: who looks it up is told why."""

    reason: str
    origin: str = ""
    kind: type[DiascopeError] = Unreadable
    """What is raised."""

    @property
    def is_folder(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.reason


Leaf: TypeAlias = Link | Made | Trouble


@dataclass(slots=True)
class Folder:
    """A folder of the arrangement's own."""

    children: dict[str, Folder | Leaf] = field(default_factory=dict)
    _entries: tuple[list[str], list[Entry]] | None = None

    @property
    def is_folder(self) -> bool:
        return True

    def entries_from(self, start: str) -> Iterator[Entry]:
        """What is in it, in the order of keys (``diascope.tree.order``), sorted once."""
        if self._entries is None:
            ordered = sorted((Entry(name, child.is_folder) for name, child in self.children.items()), key=key)
            self._entries = [key(entry) for entry in ordered], ordered
        keys, entries = self._entries
        return iter(entries[bisect_left(keys, start) :])


@dataclass(slots=True)
class Contents:
    """What is shown at which path, and what is wrong."""

    top: Folder = field(default_factory=Folder)
    problems: list[str] = field(default_factory=list)
    """What is wrong beyond single paths: rows that are missing, fields that do not fit. A complete sentence each."""
    notes: list[str] = field(default_factory=list)
    """What whoever checks may want to know, and is not wrong."""
    count: int = 0

    def add(self, target: str, leaf: Leaf) -> None:
        """Put something at a path; raises ValueError where that is none (``target.checked``)."""
        *folders, name = checked(target).split("/")
        if self.count >= MOST:
            raise TooLarge(f"the arrangement has more than {MOST} files")
        self.count += 1
        folder = self.top
        for k, each in enumerate(folders):
            child = folder.children.setdefault(each, Folder())
            if not isinstance(child, Folder):
                folder.children[each] = self._clash("/".join(folders[: k + 1]), child, target, leaf)
                return
            folder = child
        before = folder.children.setdefault(name, leaf)
        if isinstance(before, Folder):
            inner, first = next(before_leaves(before, target))
            folder.children[name] = self._clash(target, leaf, inner, first)
        elif before is not leaf and not _same(before, leaf):
            folder.children[name] = self._clash(target, before, target, leaf)

    def _clash(self, path: str, one: Leaf, target: str, other: Leaf) -> Trouble:
        """The trouble of a path that two want; of more than two the first pair."""
        if isinstance(one, Trouble):
            return one
        if path == target:
            told = f"{path} would be two things: {_wanted(one)}, and {_wanted(other)}"
        else:
            told = f"{path} would be a file and a folder: {_wanted(one)}, and {target} is {_wanted(other)}"
        self.problems.append(told)
        return Trouble(told, one.origin, Malformed)

    def leaves(self) -> Iterator[tuple[str, Leaf]]:
        """Everything that is shown with its path, in the order of keys."""
        return before_leaves(self.top, "")


def before_leaves(folder: Folder, path: str) -> Iterator[tuple[str, Leaf]]:
    """Everything below a folder at this path."""
    # A stack, not recursion: whoever writes a pattern decides how deep folders lie.
    stack = [(path, folder.entries_from(""), folder)]
    while stack:
        base, entries, inside = stack[-1]
        entry = next(entries, None)
        if entry is None:
            stack.pop()
            continue
        child, below = inside.children[entry.name], f"{base}/{entry.name}" if base else entry.name
        if isinstance(child, Folder):
            stack.append((below, child.entries_from(""), child))
        else:
            yield below, child


def _same(one: Leaf, other: Leaf) -> bool:
    """Whether two rules want the very same link."""
    return isinstance(one, Link) and isinstance(other, Link) and str(one) == str(other) and one.suffix == other.suffix


def _wanted(leaf: Leaf) -> str:
    return f"{leaf} ({leaf.origin})" if leaf.origin else str(leaf)
