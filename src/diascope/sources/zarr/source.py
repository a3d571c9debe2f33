"""OME-Zarr 0.1 to 0.6 and plain Zarr v2 and v3, in a folder or in a zip file.

https://ngff.openmicroscopy.org/0.5/, https://zarr-specs.readthedocs.io, https://ngff.openmicroscopy.org/rfc/9/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import Head, Source
from diascope.sources.zarr.bent import bent_images
from diascope.sources.zarr.collection import collection, found_image
from diascope.sources.zarr.labels import nested_labels, own_labels
from diascope.sources.zarr.multiscale import multiscale
from diascope.sources.zarr.node import MARKERS, Node, node
from diascope.sources.zarr.plate import plate_images, well_images
from diascope.sources.zarr.version import folder_version
from diascope.stores.store import Store
from diascope.stores.zip import ZipStore

ENDINGS = (".ome.zarr", ".zarr", ".ome.zarr.zip", ".zarr.zip", ".ozx")
ZIPPED = (".zarr.zip", ".ozx")
ZIP_MAGIC = b"PK\x03\x04"


def matches(head: Head) -> bool:
    return not head.markers.isdisjoint(MARKERS) or (head.name.endswith(ZIPPED) and head.first.startswith(ZIP_MAGIC))


def version(store: Store, path: str) -> str:
    """That of a zip file; of a folder a hash of what the store says of the metadata."""
    stat = store.stat(path)
    return stat.version if stat and not stat.is_folder else folder_version(store, path)


def opened(store: Store, path: str) -> Dataset:
    """The image, the plate, or the collection of images that a Zarr hierarchy is, in a folder or a zip file."""
    seen = version(store, path)
    name = stem(path, ENDINGS) or "image"
    stat = store.stat(path)
    if stat is None or stat.is_folder:
        return _opened(store, path, Dataset(version=seen, images={}, files=(path,)), name)
    blob = store.open(path)
    inside = ZipStore(blob)
    return _opened(inside, _root(inside), Dataset(version=blob.stat.version, images={}, files=(path,)), name)


def _root(store: ZipStore) -> str:
    """Where the hierarchy is in a zip file: at its root (RFC-9), or in its only folder."""
    top = list(islice(store.names(""), 2))
    alone = len(top) == 1 and top[0][1] and not any(store.stat(marker) for marker in MARKERS)
    return top[0][0] if alone else ""


def _opened(store: Store, path: str, told: Dataset, name: str) -> Dataset:
    root = node(store, path)
    if root is None:
        raise Unreadable(f"{path}: there is neither a Zarr group nor an array")
    images, labels = _contents(store, root, name)
    return replace(told, images=images, labels=labels, associated=_bent(store, root, images))


def _contents(store: Store, root: Node, name: str) -> tuple[Mapping[str, Image], Mapping[str, Image]]:
    """Images and labels; an image that is all there is has this name."""
    if root.own is None and "multiscales" not in root.ome:
        if "plate" in root.ome:
            fields = plate_images(store, root)
            return fields, nested_labels(store, root, fields, alike=True)
        if "well" in root.ome:
            fields = well_images(store, root)
            return fields, nested_labels(store, root, fields, alike=True)
        found = collection(store, root)
        return found.images, found.labels
    labels = own_labels(store, root) if root.own is None else {}
    return {name: found_image(store, root, name)}, labels


def _bent(store: Store, root: Node, images: Mapping[str, Image]) -> Mapping[str, Image]:
    """The image of a multiscale group in the coordinate systems that fields lead to (0.6)."""
    own = multiscale(root)
    return bent_images(store, own, next(iter(images.values()))) if own else {}


source = Source(
    name="zarr",
    title="OME-Zarr",
    suffixes=ZIPPED,
    markers=MARKERS,
    matches=matches,
    open=opened,
    version=version,
    library="numcodecs, imagecodecs",
    modules=("numcodecs", "imagecodecs"),
    supports="Zarr 2 and 3, shards, OME-Zarr 0.1 to 0.6, labels, plates, collections, plain arrays; in zip files too",
)
