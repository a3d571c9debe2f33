"""The images of a store as those see them that are made of several: opened when they are needed, a bounded number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from diascope.bounded import BoundedCache
from diascope.catalogue.beside import beside, bytes_beside, found_beside
from diascope.catalogue.opening import Owner, opened, source_of
from diascope.errors import Changed, DiascopeError, Unreadable
from diascope.image.cache import ChunkCache
from diascope.image.image import Image
from diascope.operations.operation import Beside, Files, Images
from diascope.operations.view import View, view
from diascope.registry import registry
from diascope.sources.dataset import Dataset
from diascope.sources.members import Member, Members
from diascope.sources.source import Source, stat_version
from diascope.stores.store import Stat, Store

OPEN = 64
"""How many members of all recipes of a store stay open."""
DEEPEST = 8
"""How many recipes are made of one another at the most."""

VIEWS = 1000

SOURCES = 4000
"""Of how many files it is kept which source opens them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """The open members of a store."""

    store: Store
    owner: str
    """The name of the store among all that share the cache of chunks."""
    chunks: ChunkCache
    views: Mapping[str, str]
    """Saved views by name."""
    changed: Callable[[str], None] = lambda _: None
    """Called with the path when a reader finds that what lies there is no longer what was opened."""
    depth: int = 0
    _datasets: BoundedCache[Dataset] = field(default_factory=lambda: BoundedCache(OPEN, weigh=lambda _: 1))
    _views: BoundedCache[View] = field(default_factory=lambda: BoundedCache(VIEWS, weigh=lambda _: 1))
    _sources: BoundedCache[Source] = field(default_factory=lambda: BoundedCache(SOURCES, weigh=lambda _: 1))

    def bound(self, source: Source) -> Source:
        """The source with the other images of the store at hand, where it needs them."""
        return source.within(Members(self.image, self.version, self.check)) if source.within else source

    def image(self, member: Member) -> Image:
        """Raises Unreadable."""
        try:
            return self._image(member)
        except Unreadable as error:
            raise error if member.path in str(error) else Unreadable(f"{member.path}: {error}") from error
        except DiascopeError as error:
            raise Unreadable(f"{member.path}: {error}") from error

    def _image(self, member: Member) -> Image:
        stat = self.store.stat(member.path)
        if stat is None:
            raise Unreadable("there is no such file")
        found = self._source(member.path, stat)
        if self.depth == DEEPEST:
            raise Unreadable(f"recipes are made of one another more than {DEEPEST} deep")
        deeper = replace(self, depth=self.depth + 1)
        source = deeper.bound(found)
        # Who opens waits for none but those that are deeper than he is, so that no two wait for each other.
        key = (self.depth, member.path, source.version(self.store, member.path))
        dataset = self._datasets.get(
            key, lambda: opened(source, self.store, member.path, Owner(self.owner, self.chunks, self.changed))
        )
        image = _scene(dataset, member.scene)
        images = deeper.images(member.path.rpartition("/")[0])
        return self._view(member.view).settled(image, self._files(member), images).claiming(image)

    def _source(self, path: str, stat: Stat) -> Source:
        """The one that opens it; of a file it is known for as long as that is the same."""
        if stat.is_folder:
            return _known(self.store, path, stat)
        return self._sources.get((path, stat.version), lambda: _known(self.store, path, stat))

    def _files(self, member: Member) -> Files:
        return partial(bytes_beside, self.store, member.path.rpartition("/")[0])

    def images(self, folder: str) -> Images:
        """The images in a folder and above it that views name; opening one raises Changed once it is another."""

        def named(name: str) -> Beside:
            member = Member(found_beside(self.store, folder, name, or_folder=True)[0])
            version = self.version(member) or ""
            return Beside(version, partial(self._image_of, member, version))

        return named

    def _image_of(self, member: Member, version: str) -> Image:
        """Whoever names it by the version must not get the pixels of another one."""
        image = self.image(member)
        if self.version(member) != version:
            raise Changed(f"{member.path} was written to while it was opened")
        return image

    def version(self, member: Member) -> str | None:
        """That of the file, and those of the files that the view names."""
        stat = self.store.stat(member.path)
        if stat is None:
            return None
        folder = member.path.rpartition("/")[0]
        steps = self._view(member.view)
        # What a saved view stands for may change while its name stays.
        near = [str(steps)] * member.view.startswith("@") + self.near(steps, folder)
        if not stat.is_folder and (own := _versioned(member.path)) is None:
            return "\0".join([stat.version, *near])
        source = source_of(self.store, member.path, stat) if stat.is_folder else own
        return "\0".join([source.version(self.store, member.path) if source else stat.version, *near])

    def near(self, view: View, folder: str) -> list[str]:
        """The versions of the files beside an image that a view names, and of those that they begin from."""
        names = view.files(partial(bytes_beside, self.store, folder))
        files = [beside(self.store, folder, name)[1] for name in names]
        images = self.images(folder)
        return files + [images(name).version for name in view.images]

    def check(self, text: str) -> None:
        self._view(text)

    def _view(self, text: str) -> View:
        return self._views.get(text, partial(view, text, self.views))


def _known(store: Store, path: str, stat: Stat) -> Source:
    found = source_of(store, path, stat)
    if found is None:
        raise Unreadable("no source knows its bytes")
    return found


def _versioned(path: str) -> Source | None:
    """The source that may open a file of this name and looks at more than this file for its version."""
    name = path.rpartition("/")[2].lower()
    sources: Mapping[str, Source] = registry("sources")
    special = (source for source in sources.values() if source.version is not stat_version and not source.within)
    return next((source for source in special if source.suffixes and name.endswith(source.suffixes)), None)


def _scene(dataset: Dataset, name: str) -> Image:
    """The image of this name, the first without one."""
    for role, images in (("", dataset.images), ("labels/", dataset.labels), ("associated/", dataset.associated)):
        if name.startswith(role) and (own := name.removeprefix(role)) in images:
            return images[own]
    if name:
        names = ", ".join([*dataset.images, *(f"labels/{label}" for label in dataset.labels)])
        raise Unreadable(f"it has no image {name!r}; there are: {names[:500]}")
    return dataset.images[next(iter(dataset.images))]
