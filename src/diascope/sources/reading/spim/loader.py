"""Where the pixels of a BigDataViewer file lie, by the part of its XML that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from diascope.errors import Unreadable
from diascope.sources.reading.beside import named_beside
from diascope.sources.reading.xml import child, children, parsed_xml
from diascope.stores.store import Store

SUFFIX = ".xml"
ROOT = b"<SpimData"
BEGIN, END = b"<ImageLoader", b"</ImageLoader>"

NEAR = 1 << 20
"""The part stands among so many first bytes, before the lists that may be long."""

MOST_PARTITIONS = 100_000


@dataclass(frozen=True, slots=True)
class Loader:
    """What reads the pixels, and of which files."""

    format: str
    """As BigDataViewer calls it: ``bdv.hdf5``, ``bdv.n5`` …"""
    container: str
    """The path of the file or folder, empty where none is told."""
    partitions: tuple[str, ...]
    """The paths of files that it links to."""


def loader(store: Store, path: str) -> Loader:
    """Raises Unreadable where there is none, or a file lies elsewhere than beside this one or below."""
    found = _element(store, path)
    format = found.get("format", "")
    kind = format.removeprefix("bdv.").partition(".")[0]
    tags = {"hdf5": "hdf5", "n5": "n5", "zarr": "zarr", "ome": "zarr", "multimg": "zarr"}
    told = child(found, tags.get(kind, kind))
    container = _path(path, told.text or "", told.attrib) if told is not None else ""
    parts = (child(each, "path") for each in children(found, "partition")[:MOST_PARTITIONS])
    partitions = tuple(_path(path, part.text or "", part.attrib) for part in parts if part is not None)
    return Loader(format, container, partitions)


def _element(store: Store, path: str) -> ET.Element:
    first = store.open(path).read(0, NEAR)
    start = first.find(BEGIN)
    stop = first.find(END, start)
    if start < 0 or stop < 0:
        raise Unreadable(f"{path}: its XML has no ImageLoader, which tells where the pixels are")
    return parsed_xml(first[start : stop + len(END)].decode("utf-8", "replace"), path)


def _path(path: str, told: str, attributes: Mapping[str, str]) -> str:
    if attributes.get("type", "relative") != "relative":
        raise Unreadable(f"{path}: its pixels lie at the absolute path {told[:200]!r}, which is not followed")
    return named_beside(path, told.strip())
