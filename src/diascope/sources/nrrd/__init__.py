"""NRRD, in one file or as a header with files beside it (https://teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from diascope.image.axes import axes_named
from diascope.image.image import Image, Kind
from diascope.image.metadata import Channel, Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.nrrd.axes import Axes, axes
from diascope.sources.nrrd.data import data_files, data_reader
from diascope.sources.nrrd.header import MAGIC, Header, header
from diascope.sources.reading.beside import fingerprint
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.sources.reading.plain.stored_box import plain_box
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

SUFFIXES = (".nrrd", ".nhdr", ".seg.nrrd")

TOLD = ("content", "space", "sampleunits", "measurementframe", "labels", "kinds", "thicknesses", "encoding")
"""The fields that are told in the format's own words."""
LONGEST_VALUE = 10_000

SEGMENT = re.compile(r"Segment\d+_LabelValue")
"""What 3D Slicer writes of each of the labels in a segmentation."""


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    found = header(blob)
    name = stem(path, SUFFIXES)
    files = (path, *dict.fromkeys(data_files(found, path)))
    version = fingerprint(store, files)
    image = _image(found, data_reader(store, path, found, blob), name)
    return Dataset(version=version, images={name: image}, files=files)


def _version(store: Store, path: str) -> str:
    """Of all the files."""
    return fingerprint(store, (path, *dict.fromkeys(data_files(header(store.open(path)), path))))


def _image(found: Header, read: ReadBytes, name: str) -> Image:
    place = axes(found)
    box = plain_box(read, 0, place.names, place.shape, found.dtype)
    return Image(
        name=name,
        kind=_kind(found, place),
        axes=axes_named(box.house_axes, dict(place.units)),
        levels=(box.level(place.scale, place.first),),
        channels=_channels(found, place),
        world=place.world,
        metadata=_metadata(found),
    )


def _kind(found: Header, place: Axes) -> Kind:
    if place.is_rgb:
        return "rgb"
    is_segmentation = found.dtype.kind in "iu" and any(map(SEGMENT.fullmatch, found.values))
    return "labels" if is_segmentation else "intensity"


def _channels(found: Header, place: Axes) -> tuple[Channel, ...]:
    """Their names, where keys tell them as Diascope writes them."""
    count = dict(zip(place.names, place.shape, strict=True)).get("c", 1)
    if place.is_rgb or not any(key.startswith("channel ") for key in found.values):
        return ()
    return tuple(Channel(name=found.values.get(f"channel {k}", "")) for k in range(count))


def _metadata(found: Header) -> Metadata:
    told = {name: found.fields[name] for name in TOLD if name in found.fields}
    values = {key: value for key, value in found.values.items() if len(value) <= LONGEST_VALUE}
    extra: Mapping[str, Any] = {**told, **({"values": values} if values else {})}
    described = found.values.get("description") or found.field("content")
    return Metadata(format="NRRD", description=described, rescale=_rescale(found), extra=extra)


def _rescale(found: Header) -> tuple[float, float] | None:
    def number(key: str) -> Iterator[float]:
        try:
            yield float(found.values[key])
        except (KeyError, ValueError):
            return

    slope, intercept = next(number("rescale slope"), 1.0), next(number("rescale intercept"), 0.0)
    return (slope, intercept) if slope and (slope, intercept) != (1.0, 0.0) else None


def _matches(head: Head) -> bool:
    return MAGIC.match(head.first) is not None


source = Source(
    name="nrrd",
    title="NRRD",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    version=_version,
    supports="attached and detached headers, lists of files, raw, gzip, bzip2, ascii and hex, colours, vectors, time, "
    "space directions; gzip and bzip2 are read in parts",
)
