"""What lies in an N5 container: plain datasets, multiscale groups, and the setups of BigDataViewer.

https://github.com/bigdataviewer/bigdataviewer-core/blob/master/BDV%20N5%20format.md ::

    any/folder/attributes.json                             with dimensions: a dataset
    any/folder/s0/attributes.json                          a group of levels s0, s1, …
    any/folder/data/s0/attributes.json                     the same, where the folder's own say painteraData
    setup{k}/timepoint{t}/s0/attributes.json               the images of a setup at each time
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from diascope.bounded import BoundedCache
from diascope.errors import DiascopeError
from diascope.sources.reading.documents import Document, document, is_safe, joined, part
from diascope.sources.reading.folders import MOST_FOLDERS, subfolders
from diascope.stores.store import Store

ATTRIBUTES = "attributes.json"
DEEPEST = 8
MOST_IMAGES = 5_000
KEPT = 10_000

SETUP = re.compile(r"setup(0|[1-9]\d{0,8})", re.ASCII)
TIMEPOINT = re.compile(r"timepoint(0|[1-9]\d{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a container that is an image."""

    path: str
    attributes: Document
    """Its own."""
    levels: str = ""
    """The folder of its levels, empty where it is a dataset."""
    timepoints: tuple[int, ...] = ()
    """Of a setup: at which times there are levels."""
    is_labels: bool = False


def attributes_of(store: Store, path: str) -> Document | None:
    """None where a folder has none."""
    return document(store, joined(path, ATTRIBUTES))


def folder(store: Store, path: str) -> Folder | None:
    """What a folder is as an image, None where it is none."""
    own = attributes_of(store, path) or {}
    if "dimensions" in own:
        return Folder(path, own)
    paintera = part(own, "painteraData")
    below = joined(path, "data") if paintera else path
    if isinstance(own.get("multiscales"), list) or "dimensions" in (attributes_of(store, joined(below, "s0")) or {}):
        return Folder(path, own, below, is_labels=paintera.get("type") == "label")
    if SETUP.fullmatch(path.rpartition("/")[2]):
        found = (TIMEPOINT.fullmatch(name) for name in subfolders(store, path))
        times = tuple(sorted(int(match[1]) for match in found if match))
        if times and attributes_of(store, joined(timepoint(path, times[0]), "s0")):
            return Folder(path, own, path, times)
    return None


def witnesses(found: Folder) -> Iterator[str]:
    """What in the folder of an image changes when it grows: folders get more, and attributes tell of sizes."""
    yield from ("", ATTRIBUTES)
    inside = "data" if found.levels not in {"", found.path} else ""
    first = timepoint(inside, found.timepoints[0]) if found.timepoints else inside
    last = timepoint(inside, found.timepoints[-1]) if found.timepoints else inside
    for place in dict.fromkeys((first, last)):
        yield from (place, joined(place, "s0"), joined(place, f"s0/{ATTRIBUTES}"))


def timepoint(setup: str, time: int) -> str:
    """The folder of a setup's levels at a time."""
    return joined(setup, f"timepoint{time}")


class Container(Mapping[str, Folder]):
    """The images below a folder by their paths; one is looked up without listing any other."""

    def __init__(self, store: Store, root: str, most: int = MOST_FOLDERS) -> None:
        """So many folders are looked into, at the most, when the names are listed."""
        self._most = most
        self._store = store
        self._root = root
        # What is no image may become one, and is not kept.
        self._known: BoundedCache[Folder | None] = BoundedCache(KEPT, weigh=lambda found: 1 if found else KEPT + 1)

    def __getitem__(self, name: str) -> Folder:
        """Raises KeyError also of what lies in an image, as its levels do."""
        parts = name.split("/")
        if len(parts) > DEEPEST or not all(map(is_safe, parts)):
            raise KeyError(name)
        for k in range(1, len(parts) + 1):
            found = self._at("/".join(parts[:k]))
            if found is not None:
                break
        if found is None or k < len(parts):
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and bool(self[name])
        except KeyError:
            return False

    def __iter__(self) -> Iterator[str]:
        """In natural order; of a container deeper or larger than the bounds only the beginning is seen."""
        return islice(self._walked(), MOST_IMAGES)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _at(self, name: str) -> Folder | None:
        """What cannot be read hides nothing else."""
        return self._known.get(name, partial(_readable, self._store, joined(self._root, name)))

    def _walked(self) -> Iterator[str]:
        waiting = [(name, 1) for name in reversed(subfolders(self._store, self._root))]
        for _ in range(self._most):
            if not waiting:
                return
            name, depth = waiting.pop()
            if self._at(name) is not None:
                yield name
            elif depth < DEEPEST:
                below = subfolders(self._store, joined(self._root, name))
                waiting.extend((joined(name, each), depth + 1) for each in reversed(below))


def _readable(store: Store, path: str) -> Folder | None:
    try:
        return folder(store, path)
    except DiascopeError:
        return None
