"""A group of images that is no image itself: bioformats2raw's layout, SpatialData, or any hierarchy of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import NamedTuple

from diascope.errors import DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Lazily
from diascope.sources.reading.documents import document, is_safe, joined, part
from diascope.sources.reading.folders import MOST_FOLDERS, subfolders
from diascope.sources.zarr.image import array_image, multiscale_image
from diascope.sources.zarr.labels import nested_labels
from diascope.sources.zarr.multiscale import multiscale
from diascope.sources.zarr.node import Node, node
from diascope.stores.store import Store

DEEPEST = 6
MOST_IMAGES = 5_000
LEAST_AXES = 2
"""A bare array of fewer is a table's column, no image."""


class Collection(NamedTuple):
    """What was found below a group, by relative path."""

    images: Mapping[str, Image]
    labels: Mapping[str, Image]


def collection(store: Store, root: Node) -> Collection:
    """The multiscale images below a group; where there are none, its bare arrays.

    Raises Unreadable where there is neither. Of a hierarchy deeper or larger than the bounds only the beginning, in
    the order of names, is seen.
    """
    if series := _series(store, root):
        return Collection(_lazily(series, store), nested_labels(store, root, series))
    found = dict(islice(nodes_below(store, root.path), MOST_IMAGES))
    scales = {name: each for name, each in found.items() if "multiscales" in each.ome}
    labels = {name: each for name, each in scales.items() if "image-label" in each.ome}
    images = {name: each for name, each in scales.items() if name not in labels} or labels or _bare(found)
    if not images:
        raise Unreadable(f"{root.path}: this Zarr group holds no image")
    named = {_without_labels(name): each for name, each in labels.items()} if images is not labels else {}
    return Collection(_lazily(images, store), _lazily(named, store))


def found_image(store: Store, found: Node, name: str) -> Image:
    """The image of a group or of a bare array."""
    own = multiscale(found)
    return multiscale_image(store, own, name) if own else array_image(store, found, name)


def _lazily(nodes: Mapping[str, Node], store: Store) -> Mapping[str, Image]:
    return Lazily(nodes, lambda name: found_image(store, nodes[name], name.rpartition("/")[2]))


def _bare(found: Mapping[str, Node]) -> dict[str, Node]:
    arrays = {name: each for name, each in found.items() if each.own is not None}
    return {name: each for name, each in arrays.items() if _is_pictured(each)}


def _is_pictured(bare: Node) -> bool:
    shape = (bare.own or {}).get("shape")
    return isinstance(shape, list) and len(shape) >= LEAST_AXES


def _without_labels(name: str) -> str:
    """``0/labels/cells`` is ``0/cells``, the labels ``cells`` of the image ``0``."""
    parts = name.split("/")
    place = len(parts) - 1 - parts[::-1].index("labels") if "labels" in parts[:-1] else None
    return "/".join(each for k, each in enumerate(parts) if k != place)


def series_names(store: Store, root: Node) -> list[str]:
    """The images that bioformats2raw lists in its group ``OME``, none where there is no such list."""
    attributes = document(store, joined(root.path, "OME/.zattrs" if root.format == 2 else "OME/zarr.json")) or {}
    own = part(attributes, "attributes") if root.format != 2 else attributes
    names = (part(own, "ome") or own).get("series")
    if not isinstance(names, list):
        return []
    return [name for name in names[:MOST_IMAGES] if isinstance(name, str) and all(map(is_safe, name.split("/")))]


def _series(store: Store, root: Node) -> dict[str, Node]:
    """Those of them that are there."""
    looked: Callable[[str], Node | None] = partial(_child, store, root.path)
    return {name: each for name in series_names(store, root) if (each := looked(name))}


def _child(store: Store, path: str, name: str) -> Node | None:
    return node(store, joined(path, name))


def nodes_below(store: Store, root: str, most: int = MOST_FOLDERS) -> Iterator[tuple[str, Node]]:
    """Every multiscale group and array below a folder, in natural order of names, with the labels of images.

    So many folders are looked into at the most.
    """
    waiting = [("", 0)]
    for _ in range(most):
        if not waiting:
            return
        name, depth = waiting.pop()
        found = _readable(store, joined(root, name) if name else root) if depth else None
        if found is not None and (found.own is not None or "multiscales" in found.ome):
            yield name, found
            if found.own is not None:
                continue
            below = [joined(name, "labels")]
        else:
            below = [joined(name, each) for each in subfolders(store, joined(root, name) if name else root)]
        if depth < DEEPEST:
            waiting.extend((each, depth + 1) for each in reversed(below))


def _readable(store: Store, path: str) -> Node | None:
    """What lies at a path, None also where it cannot be read: it hides no other."""
    try:
        return node(store, path)
    except DiascopeError:
        return None
