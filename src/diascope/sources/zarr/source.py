"""OME-Zarr 0.1 to 0.5, and plain Zarr v2 and v3 (https://ngff.openmicroscopy.org/0.5/, https://zarr-specs.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Mapping

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset
from diascope.sources.source import Head, Source
from diascope.sources.stem import stem
from diascope.sources.witnesses import witnessed
from diascope.sources.zarr.bent import bent_images
from diascope.sources.zarr.collection import collection, found_image
from diascope.sources.zarr.labels import nested_labels, own_labels
from diascope.sources.zarr.multiscale import multiscale
from diascope.sources.zarr.node import MARKERS, Node, node
from diascope.sources.zarr.plate import plate_images, well_images
from diascope.stores.store import Store

ENDINGS = (".ome.zarr", ".zarr")
WITNESSES = ("", *MARKERS, "0/zarr.json", "0/.zarray", "labels", "labels/zarr.json", "labels/.zattrs")
"""What of a folder is looked at to tell whether it changed; the time of a folder itself tells of new names in it."""


def matches(head: Head) -> bool:
    return not head.markers.isdisjoint(MARKERS)


def version(store: Store, path: str) -> str:
    """A hash of what the store says of the metadata; chunks rewritten in place do not change it."""
    return witnessed(store, path, WITNESSES)


def opened(store: Store, path: str) -> Dataset:
    """The image, the plate, or the collection of images that a Zarr hierarchy is."""
    seen = version(store, path)
    root = node(store, path)
    if root is None:
        raise Unreadable(f"{path}: this folder is neither a Zarr group nor an array")
    images, labels = _contents(store, root)
    bent = _bent(store, root, images)
    return Dataset(version=seen, images=images, labels=labels, associated=bent, files=(path,))


def _contents(store: Store, root: Node) -> tuple[Mapping[str, Image], Mapping[str, Image]]:
    """Images and labels."""
    if root.own is None and "multiscales" not in root.ome:
        if "plate" in root.ome:
            fields = plate_images(store, root)
            return fields, nested_labels(store, root, fields, alike=True)
        if "well" in root.ome:
            fields = well_images(store, root)
            return fields, nested_labels(store, root, fields, alike=True)
        found = collection(store, root)
        return found.images, found.labels
    name = stem(root.path, ENDINGS) or "image"
    labels = own_labels(store, root) if root.own is None else {}
    return {name: found_image(store, root, name)}, labels


def _bent(store: Store, root: Node, images: Mapping[str, Image]) -> Mapping[str, Image]:
    """The image of a multiscale group in the coordinate systems that fields lead to (0.6)."""
    own = multiscale(root)
    return bent_images(store, own, next(iter(images.values()))) if own else {}


source = Source(
    name="zarr",
    title="OME-Zarr",
    suffixes=(),
    markers=MARKERS,
    matches=matches,
    open=opened,
    version=version,
    library="numcodecs, imagecodecs",
    modules=("numcodecs", "imagecodecs"),
    supports="Zarr 2 and 3, shards, OME-Zarr 0.1 to 0.6, labels, plates, collections, plain arrays",
)
