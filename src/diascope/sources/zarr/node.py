"""A group or an array of a Zarr hierarchy, by its metadata files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from diascope.errors import Unreadable
from diascope.sources.reading.documents import Document, document, joined, part, shown
from diascope.sources.zarr.array import Array
from diascope.sources.zarr.v2 import metadata_v2
from diascope.sources.zarr.v3 import metadata_v3
from diascope.stores.store import Store

ZarrFormat: TypeAlias = Literal[2, 3]

MARKERS = ("zarr.json", ".zattrs", ".zgroup", ".zarray")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """What a group or an array says of itself."""

    path: str
    format: ZarrFormat
    own: Document | None
    """The metadata of an array, None of a group."""
    attributes: Document

    @property
    def ome(self) -> Document:
        """The attributes of OME-Zarr, which 0.5 keeps under a name of their own."""
        return part(self.attributes, "ome") or self.attributes

    def array(self, store: Store) -> Array:
        """The array; raises Unreadable where the node is a group, or its metadata cannot be understood."""
        if self.own is None:
            raise Unreadable(f"{self.path}: an array is expected, and this is a group")
        if self.format == 3:
            return Array(store=store, path=self.path, metadata=metadata_v3(self.own, self.path))
        return Array(store=store, path=self.path, metadata=metadata_v2(self.own, self.attributes, self.path))


def node(store: Store, path: str) -> Node | None:
    """What lies at a path, None where there is neither group nor array; Zarr v3 comes first where both are."""
    zarr_json = document(store, joined(path, "zarr.json"))
    if zarr_json is not None:
        return _v3(zarr_json, path)
    zarray = document(store, joined(path, ".zarray"))
    attributes = document(store, joined(path, ".zattrs"))
    if zarray is None and attributes is None and document(store, joined(path, ".zgroup")) is None:
        return None
    return Node(path=path, format=2, own=zarray, attributes=attributes or {})


def group_attributes(store: Store, path: str, version: ZarrFormat) -> Document | None:
    """The attributes of a group whose version is known, at the cost of one look; None where there are none."""
    if version == 2:
        return document(store, joined(path, ".zattrs"))
    zarr_json = document(store, joined(path, "zarr.json"))
    return None if zarr_json is None else part(zarr_json, "attributes")


def _v3(zarr_json: Document, path: str) -> Node:
    kind = zarr_json.get("node_type")
    if zarr_json.get("zarr_format") != 3 or kind not in ("group", "array"):
        raise Unreadable(
            f"{path}: a zarr.json of the format {shown(zarr_json.get('zarr_format'))} and the node type {shown(kind)}"
        )
    return Node(
        path=path,
        format=3,
        own=zarr_json if kind == "array" else None,
        attributes=part(zarr_json, "attributes"),
    )
