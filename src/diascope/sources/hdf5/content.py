"""The images of a file: which of its arrays, under which names, the most likely first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from diascope.errors import Unreadable
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.hdf5 import emd
from diascope.sources.hdf5.image import image_of
from diascope.sources.hdf5.pyramid import levels_of
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.file import files
from diascope.sources.reading.h5.node import Group, root
from diascope.sources.source import stat_version
from diascope.stores.store import Store

MOST_OBJECTS = 10_000
"""So many groups and arrays of a file are looked at."""
DEEPEST = 32
MOST_TOLD = 100
"""Of so many arrays that are no images the reasons are told."""

NO_IMAGES = frozenset({"PALETTE", "DIMENSION_SCALE"})
"""What the attribute CLASS calls arrays that stand beside images."""


@dataclass(slots=True)
class Found:
    """What was found on the way through a file."""

    images: dict[str, tuple[Array, ...]] = field(default_factory=dict)
    """The levels of each image, finest first, by the path of the array or of the group that they lie in."""
    parents: dict[str, Group] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    """Why the others are none, by path."""

    def passed_over(self, path: str, reason: str) -> None:
        if len(self.passed) < MOST_TOLD:
            self.passed[path] = reason

    def add(self, path: str, levels: tuple[Array, ...], parent: Group) -> None:
        self.images[path] = levels
        self.parents[path] = parent


def opened(store: Store, path: str) -> Dataset:
    top = root(files(store, path))
    found = search(top)
    ordered = sorted(found.images, key=lambda name: (_unlikeliness(found.images[name][0]), name))
    if not ordered:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(found.passed.items())[:5])
        raise Unreadable(f"{path}: none of its arrays can be an image{f' ({reasons})' if reasons else ''}")
    names = safe_names(ordered)

    def made(name: str) -> object:
        at = names[name]
        return image_of(name.rpartition("/")[2], found.images[at], found.parents[at], top, found.passed)

    return Dataset(version=stat_version(store, path), images=Lazily(names, made), files=(path,))  # type: ignore[arg-type]


def search(top: Group) -> Found:
    """All arrays that can be images; groups that have been seen, as by another link, are not looked at again."""
    found, seen = Found(), {top.place}
    waiting = [(top, 0)]
    looked = 0
    while waiting:
        group, depth = waiting.pop()
        levels = levels_of(group)
        if levels:
            found.add(group.path, levels, group)
            continue
        for name, node in group.children():
            looked += 1
            if looked > MOST_OBJECTS:
                found.passed_over("…", f"only the first {MOST_OBJECTS} groups and arrays are looked at")
                return found
            path = f"{group.path}/{name}" if group.path else name
            if isinstance(node, str):
                found.passed_over(path, node)
            elif isinstance(node, Array):
                _judge(found, node, path, group)
            elif node.place not in seen and depth < DEEPEST:
                seen.add(node.place)
                waiting.append((node, depth + 1))
    return found


def _judge(found: Found, array: Array, path: str, parent: Group) -> None:
    reason = _refusal(array) or emd.refusal(path, parent)
    if reason:
        found.passed_over(path, reason)
    else:
        found.add(path, (array,), parent)


def _refusal(array: Array) -> str | None:
    """Why an array is no image."""
    if not 2 <= len(array.shape) <= 5:
        return f"it has {len(array.shape)} dimension{'s' * (len(array.shape) != 1)}"
    if sum(size > 1 for size in array.shape) < 2:
        return f"the shape {array.shape} is that of a row of numbers"
    kind = array.attributes.text("CLASS")
    return f"it is a {kind.lower().replace('_', ' ')}" if kind in NO_IMAGES else None


def _unlikeliness(array: Array) -> tuple[bool, int]:
    """What is called an image stands first, then what has more pixels."""
    return array.attributes.text("CLASS") != "IMAGE", -prod(array.shape)


def safe_names(paths: list[str]) -> Mapping[str, str]:
    """Names for the images whose every part can be that of a file, and the paths that they stand for."""
    names: dict[str, str] = {}
    for path in paths:
        plain = "/".join(_safe(part) for part in path.split("/"))
        name = next(each for each in _numbered(plain) if each not in names)
        names[name] = path
    return names


def _safe(part: str) -> str:
    kept = "".join(letter if letter.isprintable() else "_" for letter in part)[:200]
    return "_" if kept in {"", ".", ".."} else kept


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in range(2, 1 << 20):
        yield f"{name}_{number}"
