"""A place full of images, and what lies at each of its paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, time_ns
from typing import Literal, NamedTuple, TypeAlias

from diascope.bounded import BoundedCache
from diascope.catalogue.beside import bytes_beside
from diascope.catalogue.index import Index
from diascope.catalogue.members import Pool
from diascope.catalogue.names import ordered_names
from diascope.catalogue.opening import Owner, image_suffixes, listed_as_image, opened, source_of
from diascope.errors import Changed, Quarantined, Unanswered, Unreadable
from diascope.image.cache import ChunkCache
from diascope.image.image import Image
from diascope.operations.view import View, view
from diascope.sources.dataset import Dataset
from diascope.sources.source import Source
from diascope.stores.store import Store
from diascope.work import timed

Sight: TypeAlias = tuple[float, int]
What: TypeAlias = Literal["folder", "image", "file"]


class Place(NamedTuple):
    """What lies at a path."""

    what: What
    path: str
    source: Source | None = None
    """The source of an image."""


class Opened(NamedTuple):
    """An image file that was opened."""

    dataset: Dataset
    identity: str
    """Of the stored bytes, unlike any other's on this server."""


Outcome: TypeAlias = Opened | Unreadable
OpenDatasets: TypeAlias = BoundedCache[Outcome]
Places: TypeAlias = BoundedCache[Place | None]
Versions: TypeAlias = BoundedCache[str]

VERSIONS = 10_000
"""Of how many images the version is remembered."""

SETTLED = 1000
"""Of how many views it is remembered what a look at pixels has decided, each of some six thousand bytes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repository:
    """The files of a store as folders, images and other files."""

    name: str
    store: Store
    views: Mapping[str, str]
    """Saved views by name."""
    chunks: ChunkCache
    datasets: OpenDatasets
    places: Places
    refresh_seconds: float
    index: Index | None = None
    """What lies in the folders, as far as they were looked into."""
    _versions: Versions = field(default_factory=lambda: BoundedCache(VERSIONS, weigh=lambda _: 1))
    _identities: dict[str, str] = field(default_factory=dict)
    """Of what was opened last at each path."""
    _successors: dict[str, str] = field(default_factory=dict)
    """Of what had changed in a way that its version does not tell, what the name of the next one ends with."""
    _noticed: list[int] = field(default_factory=lambda: [0])
    """How often something was found to have changed before it was looked for."""
    _members: Pool = field(init=False)
    _settled: BoundedCache[View] = field(default_factory=lambda: BoundedCache(SETTLED, weigh=lambda _: 1))

    def __post_init__(self) -> None:
        pool = Pool(store=self.store, owner=self.name, chunks=self.chunks, views=self.views, changed=self._notice)
        object.__setattr__(self, "_members", pool)

    def walked(self, path: str) -> tuple[Place, str] | None:
        """The first image or file on the way along a path and what of the path is left behind it.

        Where the whole path is folders it is that folder; None where there is nothing. Raises as the store does.
        """
        names = path.split("/") if path else []
        place: Place | None = Place("folder", "")
        for k in range(len(names)):
            place = self.place("/".join(names[: k + 1]))
            if place is None:
                return None
            if place.what != "folder":
                return place, "/".join(names[k + 1 :])
        return (place, "") if place else None

    def place(self, path: str) -> Place | None:
        """What lies at this path; a change is seen after ``refresh_seconds``."""
        return self.places.get((self.name, path, self._moment()), lambda: self.looked_up(path))

    def _moment(self) -> float:
        """The same number for as long as what was seen need not be looked at again."""
        return monotonic() // self.refresh_seconds if self.refresh_seconds else monotonic()

    def sight(self) -> Sight:
        """Until when what is seen from now on need not be looked at again, and how much was noticed until now."""
        end = (self._moment() + 1) * self.refresh_seconds if self.refresh_seconds else 0.0
        return end, self._noticed[0]

    def holds(self, sight: Sight) -> bool:
        """Whether what was seen then need not be looked at again."""
        return monotonic() < sight[0] and self._noticed[0] == sight[1]

    def looked_up(self, path: str) -> Place | None:
        """What lies at this path now."""
        if any(name.startswith(".") for name in path.split("/")) and not self._is_plain(path):
            return None
        stat = self.store.stat(path)
        if stat is None:
            return None
        # A name decides whether a file is an image, so that a listing need not open it; its bytes decide which.
        if stat.is_folder or path.lower().endswith(image_suffixes()):
            source = source_of(self.store, path, stat)
            if source is not None or (not stat.is_folder and listed_as_image(self.store, path)):
                return Place("image", path, self._members.bound(source) if source else None)
        return Place("folder" if stat.is_folder else "file", path)

    @staticmethod
    def _is_plain(path: str) -> bool:
        """Whether the store shall judge the path itself: ``.`` and ``..`` are refused there, not hidden here."""
        return any(name in {".", ".."} for name in path.split("/"))

    def opened(self, place: Place) -> Opened:
        """The dataset of an image; raises Unreadable, also where it was found so before and has not changed.

        A change is seen after ``refresh_seconds``.
        """
        source = place.source
        if source is None:
            raise Unreadable(f"{place.path}: it is named as an image, and no source knows its bytes")
        # Some formats' version takes many looks at the store, more than all else that a look-up needs.
        version = self._versions.get((place.path, self._moment()), lambda: source.version(self.store, place.path))
        identity = f"{self.name}/{place.path}\0{version}"
        successor = self._successors.get(identity, "")
        outcome = self.datasets.get(identity + successor, partial(self._outcome, place, source, (identity, successor)))
        identity += successor
        self._close_older(place.path, identity)
        if isinstance(outcome, Unreadable):
            raise Unreadable(*outcome.args)
        return outcome

    def _outcome(self, place: Place, source: Source, called: tuple[str, str]) -> Outcome:
        _, successor = called
        owner = Owner(self.name + successor, self.chunks, partial(self._look_again, called))
        try:
            dataset = timed("open", lambda: opened(source, self.store, place.path, owner))
            # What was opened may be newer than what was looked at: its own version is the identity.
            return Opened(dataset, f"{self.name}/{place.path}\0{dataset.version}{successor}")
        except (Changed, Quarantined, Unanswered):
            raise  # it is tried again before the file changes, or changes again
        except Unreadable as error:
            return Unreadable(*error.args)

    def _close_older(self, path: str, identity: str) -> None:
        """What a file was before it changed need not stay open."""
        before = self._identities.pop(path, identity)
        self._identities[path] = identity
        if before != identity:
            self.datasets.discard(before)
        if len(self._identities) > VERSIONS:
            self._identities.pop(next(iter(self._identities)), None)

    def _look_again(self, called: tuple[str, str], path: str) -> None:
        """What was seen of a path, and opened there under this name, is no longer true."""
        identity, successor = called
        if self._successors.get(identity, "") == successor:
            self._successors[identity] = f"\0{time_ns():x}"
        if len(self._successors) > VERSIONS:
            self._successors.pop(next(iter(self._successors)), None)
        self._notice(path)
        self._versions.discard((path, self._moment()))
        self.places.discard((self.name, path, self._moment()))

    def _notice(self, _: str) -> None:
        """Ways that lead by what has changed are gone anew."""
        self._noticed[0] += 1

    def view(self, text: str, place: Place, image: Image, identity: str) -> View:
        """The view that a text spells of an image of this identity, settled; pixels are looked at once for many asks.

        Raises BadRequest, and what the operations raise where one of them has to look at pixels or files.
        """
        steps = view(text, self.views)
        if not steps.may_look:
            return steps
        folder = place.path.rpartition("/")[0]
        key = (identity, str(steps), *self._members.near(steps, folder))
        files = partial(bytes_beside, self.store, folder)
        return self._settled.get(key, lambda: steps.settled(image, files, self._members.images(folder)))

    def listed(self, path: str) -> Iterator[Place]:
        """What lies in a folder, by name, told from the names and what a folder holds; no image is opened."""
        for name, is_folder in sorted(self.store.names(path)):
            if place := self.seen(path, name, is_folder):
                yield place

    def listed_from(self, path: str, start: str) -> Iterator[Place]:
        """The same in the order of keys (``diascope.tree.order``) and from one on; what is not listed costs a name."""
        for name, is_folder in ordered_names(self.store, self.index, path, start):
            if place := self.seen(path, name, is_folder):
                yield place

    def seen(self, folder: str, name: str, is_folder: bool) -> Place | None:
        """What a name in a folder is, None where it has gone in the meantime."""
        path = f"{folder}/{name}" if folder else name
        return self.place(path) if is_folder else Place("image" if listed_as_image(self.store, path) else "file", path)
