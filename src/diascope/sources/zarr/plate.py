"""A plate of wells of fields, opened when asked for (https://ngff.openmicroscopy.org/0.5/#plate-md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from diascope.bounded import BoundedCache
from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Lazily
from diascope.sources.reading.documents import Document, below, listing, mapping, part, text
from diascope.sources.zarr.image import multiscale_image
from diascope.sources.zarr.multiscale import multiscale
from diascope.sources.zarr.node import Node, group_attributes, node
from diascope.stores.store import Store

UNTOLD = ("0",)
"""The field that is named for a well whose metadata is corrupt, so that it is listed, and tells why when opened."""

MOST_FIELDS = 100_000
KEPT_WELLS = 100_000


class Fields(Mapping[str, None]):
    """The names ``{row}/{column}/{field}`` of a plate.

    A well's metadata is read when one of its fields is looked up, or the names are listed as far as it; never twice.
    Wells that the plate names and that are missing have no fields: they were not imaged.
    """

    def __init__(self, store: Store, plate: Node) -> None:
        self._store = store
        self._plate = plate
        self._wells = dict.fromkeys(_well_paths(plate))
        self._fields: BoundedCache[tuple[str, ...]] = BoundedCache(KEPT_WELLS, weigh=lambda _: 1)

    @property
    def wells(self) -> Iterable[str]:
        """Their paths, as the plate names them."""
        return self._wells

    def __iter__(self) -> Iterator[str]:
        return (f"{well}/{field}" for well in self._wells for field in self.of(well))

    def __len__(self) -> int:
        return sum(len(self.of(well)) for well in self._wells)

    def __getitem__(self, name: str) -> None:
        well, _, field = name.rpartition("/")
        if well not in self._wells or field not in self.of(well):
            raise KeyError(name)

    def of(self, well: str) -> tuple[str, ...]:
        """The fields of a well that the plate names."""
        return self._fields.get(well, partial(self._read, well))

    def _read(self, well: str) -> tuple[str, ...]:
        path = below(self._plate.path, well)
        try:
            attributes = group_attributes(self._store, path, self._plate.format)
            return () if attributes is None else field_names(attributes, path)
        except Unreadable:
            return UNTOLD


def plate_images(store: Store, plate: Node) -> Mapping[str, Image]:
    """The fields of a plate by ``{row}/{column}/{field}``; raises Unreadable where there is none."""
    fields = Fields(store, plate)
    if next(iter(fields), None) is None:
        raise Unreadable(f"{plate.path}: the plate has no well with a field")
    return Lazily(fields, partial(field_image, store, plate.path))


def well_images(store: Store, well: Node) -> Mapping[str, Image]:
    """The fields of a well that stands alone."""
    names = field_names(well.attributes, well.path)
    if not names:
        raise Unreadable(f"{well.path}: the well has no field")
    return Lazily(names, partial(field_image, store, well.path))


def field_image(store: Store, path: str, name: str) -> Image:
    """One field; its own name has no slashes."""
    place = below(path, name)
    found = node(store, place)
    field = multiscale(found) if found else None
    if field is None:
        raise Unreadable(f"{place}: the field that the metadata names is missing")
    return multiscale_image(store, field, name.replace("/", "_"))


def field_names(attributes: Document, path: str) -> tuple[str, ...]:
    """The fields that a well names."""
    well = part(part(attributes, "ome") or attributes, "well")
    images = listing(well.get("images"), f"{path}: images")[:MOST_FIELDS]
    names = tuple(dict.fromkeys(_path(image, path) for image in images))
    if any("/" in name for name in names):
        raise Unreadable(f"{path}: a field lies in no folder of the well itself")
    return names


def _well_paths(plate: Node) -> Iterator[str]:
    own = mapping(plate.ome.get("plate"), f"{plate.path}: plate")
    return (_path(well, plate.path) for well in listing(own.get("wells"), f"{plate.path}: wells"))


def _path(entry: Any, path: str) -> str:
    """The path that a well or field is said to lie at, in its shortest spelling."""
    relative = text(mapping(entry, path).get("path"), f"{path}: path")
    return below("", relative)
