"""The root tree by name: ``{repository}/{folders…}/{image}/{view}/{stem}{suffix}…``, as every door serves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from diascope import fleeting
from diascope.arrangements.known import Known, Led
from diascope.arrangements.presentation import MANIFEST, manifest
from diascope.arrangements.stored import file_tree, stored_tree
from diascope.arrangements.views import Views
from diascope.catalogue.address import Found, Scene, found, scene, scene_names
from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.located import image as located
from diascope.catalogue.repository import Place
from diascope.errors import BadRequest, DiascopeError, NotFound, TooLarge, Unimplemented, Unsupported
from diascope.image.cache import cached
from diascope.image.image import Image
from diascope.layouts.layout import Layout
from diascope.operations.view import ORIGINAL, Keep, View, view
from diascope.registry import registry
from diascope.sources.dataset import Lazily
from diascope.tree.cache import Identified
from diascope.tree.file import Entry, File, Tree
from diascope.tree.order import entries_from, key
from diascope.work import about

STORED = "stored"
RENDER = "render"


class Viewed(NamedTuple):
    """An image under a view."""

    name: str
    """Of the image, with which the names of its representations begin."""
    layouts: Mapping[str, str]
    """The layout that makes it, by the first name of a path below the view."""
    trees: Mapping[str, Tree | Unsupported]
    """By layout, made when they are first asked for: the tree, or why the layout refuses."""


@dataclass(frozen=True, slots=True)
class ByName:
    """Every image of the catalogue under every view in every layout."""

    catalogue: Catalogue
    _known: Known = field(default_factory=Known)
    _viewed: Views[Viewed] = field(init=False)

    def __post_init__(self) -> None:
        images = max((each.datasets.max_bytes for each in self.catalogue.repositories.values()), default=1)
        object.__setattr__(self, "_viewed", Views(images, self._known.forget))

    def file(self, path: str) -> File | None:
        if path.endswith("/"):
            return self._folder_file(path[:-1])
        if led := self._known.led(path):
            return led.tree.file(path[led.start :])
        place = found(self.catalogue, path)
        shows = path.endswith(f"/{MANIFEST}") and (place is None or place.place.what == "image")
        if shows and (made := manifest(self.catalogue, path)):
            return made
        # An image is a folder of views, also where it cannot be read: what is stored is still there.
        if place is None or place.place.what == "folder" or (place.place.what == "image" and not place.rest):
            return None
        tree, rest = self._tree_in(place, path)
        return tree.file(rest) if tree else None

    def known(self, path: str) -> File | None:
        """The file at a path that is spelled canonically, where it is known what the path leads to."""
        led = self._known.led(path)
        return led.tree.file(path[led.start :]) if led and led.is_canonical else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        if not path:
            return (Entry(name, is_folder=True) for name in self.catalogue.repositories)
        if led := self._known.led(path):
            return led.tree.entries(path[led.start :])
        place = found(self.catalogue, path)
        if place is None:
            return None
        if place.place.what == "folder":
            return map(_entry, place.repository.listed(place.place.path))
        if not place.rest:
            return self._image_entries(place, "")
        tree, rest = self._tree_in(place, path)
        return tree.entries(rest) if tree else self._image_entries(place, place.rest)

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        """As ``diascope.tree.order`` wants them."""
        if led := self._known.led(path):
            return entries_from(led.tree, path[led.start :], start)
        place = found(self.catalogue, path) if path else None
        if place and place.place.what == "folder":
            return map(_entry, place.repository.listed_from(place.place.path, start))
        tree, rest = self._tree_in(place, path) if place and place.rest else (None, "")
        if tree:
            return entries_from(tree, rest, start)
        few = self.entries(path)
        return None if few is None else _in_order(few, start)

    def canonical(self, path: str) -> str:
        """The path with its view in the canonical spelling, the same path where there is no image."""
        led = self._known.led(path)
        if (led and led.is_canonical) or path.endswith(f"/{MANIFEST}"):
            return path
        place = found(self.catalogue, path)
        if place is None or place.place.what != "image" or not place.rest or _is_stored(place.rest):
            return path
        within = scene(place.repository.opened(place.place), place.rest)
        if within is None or not within.rest:
            return path
        text, slash, rest = within.rest.partition("/")
        before = path[: len(path) - len(within.rest)]
        return f"{before}{_settled(place, within, text)}{slash}{rest}"

    def address(self, path: str, steps: str, layout: str | None, suffix: str | None = None) -> str:
        """Where the image at a path is served under a view in a layout; without a layout where it is as it is stored.

        ``suffix`` is that of a companion. Raises NotFound where there is no such image or file, and what opening it and
        applying the view raise; whether the layout takes it is told by looking there.
        """
        place = found(self.catalogue, path)
        if place is None or place.place.what == "folder" or (place.place.what == "file" and place.rest):
            raise NotFound(f"there is nothing at {path!r}")
        if layout is None:
            name = path.rpartition("/")[2]
            return path if place.place.what == "file" else f"{path}/{STORED}/{name}"
        within = located(self.catalogue, path)
        text = _settled(place, within, steps)
        source = place.place.source.name if place.place.source else ""
        viewed = self._viewed.get(within.identity, str(text), lambda: self._laid_out(within, text, source))
        return f"{path}/{text}/{viewed.name}{suffix or layouts()[layout].suffix}"

    def _folder_file(self, path: str) -> File | None:
        """The file that answers for a folder within a layout."""
        if led := self._known.led(path):
            return led.tree.file(f"{path[led.start :]}/")
        place = found(self.catalogue, path)
        if place is None or place.place.what != "image" or not place.rest or _is_stored(place.rest):
            return None
        tree, rest = self._tree_in(place, path)
        return tree.file(f"{rest}/") if tree and rest else None

    def _tree_in(self, place: Found, path: str) -> tuple[Tree | None, str]:
        """The tree that a path leads into by way of this place, and the path within that tree."""
        if place.place.what == "file":
            about("", STORED)
            return (None, "") if place.rest else (file_tree(place.repository.store, place.place.path), "")
        source = place.place.source.name if place.place.source else ""
        about(source, STORED)
        if _is_stored(place.rest):
            return stored_tree(place.repository, place.place), place.rest[len(STORED) :].lstrip("/")
        before = fleeting.noted()
        within = scene(place.repository.opened(place.place), place.rest)
        if within is None or not within.rest:
            return None, ""
        text, _, rest = within.rest.partition("/")
        steps = _settled(place, within, text)
        viewed = self._viewed.get(within.identity, str(steps), lambda: self._laid_out(within, steps, source))
        tree = Layouts(viewed).tree(rest) if rest else None
        if tree and fleeting.noted() == before:
            start = len(path) - len(rest)
            led = Led(tree, start, text == str(steps), place.repository, place.sight)
            self._known.keep(path[:start] + rest.partition("/")[0], led)
        return tree or Layouts(viewed), rest

    def _laid_out(self, within: Scene, steps: View, source: str) -> Viewed:
        image = _applied(steps, within.image, self._kept(within.identity))
        identity = f"{within.identity}\0{steps}"

        def tree(name: str) -> Tree | Unsupported:
            layout = layouts()[name]
            reason = layout.refuses(image)
            if reason:
                return Unsupported(reason)
            return Identified(layout.tree(image), identity, self.catalogue.files, source, layout.name)

        names = {
            image.name + suffix: layout.name
            for layout in layouts().values()
            for suffix in (layout.suffix, *layout.companions)
        }
        return Viewed(image.name, names, Lazily(layouts(), tree))

    def _kept(self, identity: str) -> Keep:
        """Keeps the chunks of what costly operations make of an image, for all the views that go on from there."""
        return lambda image, spelled: cached(image, self.catalogue.chunks, ("view", identity, spelled))

    def _image_entries(self, place: Found, within: str) -> Iterator[Entry] | None:
        """The scenes or views below a path within a dataset; an unreadable one shows nothing but what is stored."""
        if _is_stored(within) or place.place.what != "image":
            return None
        try:
            dataset = place.repository.opened(place.place).dataset
        except DiascopeError:
            return iter([Entry(STORED, is_folder=True)]) if not within else None
        names = list(scene_names(dataset))
        below = dict.fromkeys(_next_names(names, within))
        views = [ORIGINAL, RENDER, *(f"@{name}" for name in place.repository.views)] if within in names else []
        listed = [*below, *views, *([] if within else [STORED])]
        return (Entry(name, is_folder=True) for name in listed) if listed else None


@dataclass(frozen=True, slots=True)
class Layouts:
    """The trees of all layouts of one viewed image, side by side."""

    viewed: Viewed

    def file(self, path: str) -> File | None:
        tree = self.tree(path)
        return tree.file(path) if tree else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        if not path:
            return self._listed()
        tree = self.tree(path)
        return tree.entries(path) if tree else None

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        tree = self.tree(path) if path else None
        if tree:
            return entries_from(tree, path, start)
        return None if path else _in_order(self._listed(), start)

    def tree(self, path: str) -> Tree | None:
        """The tree of the layout that a path begins with the name of; raises Unsupported where it refuses the image."""
        layout = self.viewed.layouts.get(path.partition("/")[0])
        tree = self.viewed.trees[layout] if layout else None
        if isinstance(tree, Unsupported):
            raise Unsupported(*tree.args)
        return tree

    def _listed(self) -> Iterator[Entry]:
        for name, layout in self.viewed.layouts.items():
            tree = self.viewed.trees[layout]
            if not isinstance(tree, Unsupported):
                yield Entry(name, is_folder=tree.file(name) is None)


def _settled(place: Found, within: Scene, text: str) -> View:
    """The view that a text spells; raises BadRequest where it is none.

    Raises Unsupported where the pixels or files that it has to look at do not allow it: these change, and a path that
    was there must not be told to be absent, as malformed ones are on a mount.
    """
    repository = place.repository
    try:
        return repository.view(text, place.place, within.image, within.identity)
    except (TooLarge, Unimplemented):
        raise
    except BadRequest as error:
        view(text, repository.views)
        raise Unsupported(str(error)) from error


def _applied(steps: View, image: Image, keep: Keep) -> Image:
    """The image under a view; raises Unsupported where its size or channels do not allow that.

    They may have been others before: as with ``_settled``, a path that was there is not absent now.
    """
    try:
        return steps.claiming(image, keep)
    except (TooLarge, Unimplemented):
        raise
    except BadRequest as error:
        raise Unsupported(str(error)) from error


def layouts() -> Mapping[str, Layout]:
    """The layouts by name."""
    return registry("layouts")


def _entry(place: Place) -> Entry:
    return Entry(place.path.rpartition("/")[2], place.what != "file")


def _in_order(few: Iterator[Entry], start: str) -> Iterator[Entry]:
    """What is listed, by keys and from one on."""
    return iter(sorted((entry for entry in few if key(entry) >= start), key=key))


def _is_stored(path: str) -> bool:
    return path == STORED or path.startswith(f"{STORED}/")


def _next_names(names: list[str], within: str) -> Iterator[str]:
    """The first part, behind a folder, of each name that lies in it."""
    prefix = f"{within}/" if within else ""
    return (name[len(prefix) :].partition("/")[0] for name in names if name.startswith(prefix) and name != within)
