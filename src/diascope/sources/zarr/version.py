"""What of a Zarr hierarchy is looked at to tell whether it has grown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from diascope.errors import DiascopeError
from diascope.sources.reading.documents import joined
from diascope.sources.reading.witnesses import witnessed
from diascope.sources.zarr.collection import nodes_below, series_names
from diascope.sources.zarr.labels import label_names
from diascope.sources.zarr.node import MARKERS, Node, node
from diascope.sources.zarr.plate import Fields
from diascope.stores.store import Store

WITNESSES = ("", *MARKERS, "0/zarr.json", "0/.zarray", "labels", "labels/zarr.json", "labels/.zattrs", "OME")
"""What is looked at of every folder; the time of a folder itself tells of new names in it."""

MOST_IMAGES = 64
"""Of a group or plate so many images are looked into; of others it is seen that they come."""

MOST_FOLDERS = 256
MOST_LEVELS = 16
FEW_WELLS = 1
"""Of a plate; a look at each well would cost more than opening the plate does."""


def folder_version(store: Store, path: str) -> str:
    """A hash of what the store says of the metadata of the images; chunks rewritten in place do not change it."""
    return witnessed(store, path, dict.fromkeys([*WITNESSES, *_more(store, path)]))


def _more(store: Store, path: str) -> list[str]:
    """Paths below the folder; those up to what cannot be understood, which is told when it is opened."""
    found: list[str] = []
    try:
        root = node(store, path)
        if root is not None and root.own is None:
            found.extend(_of_group(store, root))
    except DiascopeError:
        pass
    return found


def _of_group(store: Store, root: Node) -> Iterator[str]:
    if "multiscales" in root.ome:
        yield from _of_image(store, root, "")
    elif "plate" in root.ome:
        yield from _of_plate(store, root)
    else:
        yield joined("OME", _document(root))
        names = series_names(store, root)[:MOST_IMAGES] or _found(store, root.path)
        for name in names:
            yield from _of_path(store, root.path, name)


def _found(store: Store, path: str) -> list[str]:
    return [name for name, _ in islice(nodes_below(store, path, MOST_FOLDERS), MOST_IMAGES)]


def _of_plate(store: Store, root: Node) -> Iterator[str]:
    """The rows, which get wells, and of the first and last wells the lists of fields and the first of these."""
    fields = Fields(store, root)
    wells = list(fields.wells)
    yield from islice(dict.fromkeys(well.partition("/")[0] for well in wells), MOST_IMAGES)
    for well in dict.fromkeys([*wells[:FEW_WELLS], *wells[-FEW_WELLS:]]):
        yield from (well, joined(well, _document(root)))
        for field in fields.of(well)[:1]:
            yield from _of_path(store, root.path, joined(well, field))


def _of_path(store: Store, root: str, name: str) -> Iterator[str]:
    yield name
    try:
        found = node(store, joined(root, name))
    except DiascopeError:
        found = None
    if found is not None:
        yield joined(name, _document(found) if found.own is None or found.format == 3 else ".zarray")
        yield from _of_image(store, found, name)


def _of_image(store: Store, image: Node, name: str) -> Iterator[str]:
    """The levels of an image and of its labels, which lie at a name below the folder that is looked at."""
    if image.own is not None:
        return
    yield from _levels(image, name)
    inside = joined(name, "labels")
    yield from (inside, joined(inside, _document(image)))
    for label in label_names(store, image.path, image.format)[:MOST_IMAGES]:
        own = joined(inside, label)
        yield joined(own, _document(image))
        found = node(store, joined(joined(image.path, "labels"), label))
        if found is not None:
            yield from _levels(found, own)


def _levels(image: Node, name: str) -> Iterator[str]:
    """The metadata of the arrays that an image names."""
    scales = image.ome.get("multiscales")
    first = scales[0] if isinstance(scales, list) and scales else None
    listed = first.get("datasets") if isinstance(first, dict) else None
    for entry in listed[:MOST_LEVELS] if isinstance(listed, list) else ():
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str) and path.strip("/") and ".." not in path.split("/"):
            parts = [part for part in path.split("/") if part not in {"", "."}]
            yield joined(name, "/".join([*parts, "zarr.json" if image.format == 3 else ".zarray"]))


def _document(found: Node) -> str:
    return "zarr.json" if found.format == 3 else ".zattrs"
