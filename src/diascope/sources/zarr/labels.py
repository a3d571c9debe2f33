"""The labels of images, which lie in their groups ``labels`` (https://ngff.openmicroscopy.org/0.5/#labels-md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from diascope.bounded import BoundedCache
from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Lazily
from diascope.sources.reading.documents import below, is_safe, joined, part
from diascope.sources.zarr.image import multiscale_image
from diascope.sources.zarr.multiscale import multiscale
from diascope.sources.zarr.node import Node, ZarrFormat, group_attributes, node
from diascope.stores.store import Store

MOST_LABELS = 10_000
KEPT_LISTS = 10_000


class Nested(Mapping[str, None]):
    """The names ``{image}/{label}`` of the labels of several images below a group.

    An image's list is read when one of its labels is looked up, or the names are listed as far as it. Of images that
    are ``alike``, as the fields of a plate, none are listed where the first has none: asking each has a cost.
    """

    def __init__(self, store: Store, root: Node, images: Mapping[str, object], *, alike: bool) -> None:
        self._store = store
        self._root = root
        self._images = images
        self._alike = alike
        self._lists: BoundedCache[tuple[str, ...]] = BoundedCache(KEPT_LISTS, weigh=lambda _: 1)

    def split(self, name: str) -> tuple[str, str] | None:
        """The image and the label that a name is made of, None where there is no such label."""
        parts = name.split("/")
        pairs = (("/".join(parts[:k]), "/".join(parts[k:])) for k in range(1, len(parts)))
        return next(((i, label) for i, label in pairs if i in self._images and label in self._of(i)), None)

    def __iter__(self) -> Iterator[str]:
        for k, image in enumerate(self._images):
            names = self._of(image)
            if self._alike and k == 0 and not names:
                return
            yield from (f"{image}/{label}" for label in names)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> None:
        if self.split(name) is None:
            raise KeyError(name)

    def _of(self, image: str) -> tuple[str, ...]:
        path = joined(self._root.path, image)
        return self._lists.get(image, lambda: label_names(self._store, path, self._root.format))


def nested_labels(
    store: Store, root: Node, images: Mapping[str, object], *, alike: bool = False
) -> Mapping[str, Image]:
    """The labels of the images of these names below a group."""
    names = Nested(store, root, images, alike=alike)

    def made(name: str) -> Image:
        image, label = names.split(name) or ("", name)
        return label_image(store, joined(root.path, image), label)

    return Lazily(names, made)


def own_labels(store: Store, image: Node) -> Mapping[str, Image]:
    """The labels of one image."""
    return Lazily(label_names(store, image.path, image.format), partial(label_image, store, image.path))


def label_names(store: Store, path: str, version: ZarrFormat) -> tuple[str, ...]:
    """The names of the labels of an image, none where its list cannot be read: that hides not the image."""
    try:
        attributes = group_attributes(store, joined(path, "labels"), version)
    except Unreadable:
        return ()
    if attributes is None:
        return ()
    names = (part(attributes, "ome") or attributes).get("labels")
    if not isinstance(names, list):
        return ()
    safe = (name for name in names if isinstance(name, str) and all(map(is_safe, name.split("/"))))
    return tuple(dict.fromkeys(safe))[:MOST_LABELS]


def label_image(store: Store, image_path: str, name: str) -> Image:
    """One of the labels; a group that does not say that it is one is one all the same, being listed."""
    path = below(joined(image_path, "labels"), name)
    found = node(store, path)
    listed = multiscale(found) if found else None
    if listed is None:
        raise Unreadable(f"{path}: the labels that the metadata names are missing")
    image = multiscale_image(store, listed, name.rpartition("/")[2])
    return replace(image, kind="labels") if image.dtype.kind in "iu" else image
