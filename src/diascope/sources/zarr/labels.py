"""The labels of an image, which lie in its group ``labels`` (https://ngff.openmicroscopy.org/0.5/#labels-md)."""

from __future__ import annotations

from dataclasses import replace

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.zarr.documents import below, is_safe, joined, part
from diascope.sources.zarr.image import multiscale_image
from diascope.sources.zarr.multiscale import multiscale
from diascope.sources.zarr.node import Node, group_attributes, node
from diascope.stores.store import Store

MOST_LABELS = 10_000


def label_names(store: Store, image: Node) -> tuple[str, ...]:
    """The names of the labels of an image, none where its list cannot be read."""
    try:
        attributes = group_attributes(store, joined(image.path, "labels"), image.format)
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
