"""Plates of Revvity's (PerkinElmer's) Opera Phenix and Operetta, as Harmony writes them: files listed in an index.

::

    Images/Index.idx.xml   or Index.ref.xml, or Index.xml
        Plates/Plate       its name, and when it was measured
        Maps/Map/Entry     from version 6 on, what the images of a channel have in common
        Images/Image       a record for each file: well, field, plane, moment, channel, size of pixels, place, name

There is no public specification; the names of elements say what they are. Lengths are in metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from xml.etree import ElementTree as ET

from diascope.errors import Unreadable
from diascope.image.metadata import Channel, Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.members import Members
from diascope.sources.reading.beside import fingerprint, named_beside
from diascope.sources.reading.documents import joined
from diascope.sources.reading.numbers import number
from diascope.sources.reading.plates.plate import About, Known, Plane, Plate, by_field
from diascope.sources.reading.plates.records import attributes, records, texts, whole
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.reading.xml import local
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

INDEXES = ("Index.idx.xml", "Index.ref.xml", "Index.xml")
MARKERS = tuple(f"{folder}{name}" for folder in ("", "Images/") for name in INDEXES)
MAGIC = b"<EvaluationInputData"

MICROMETRES = {"m": 1e6, "mm": 1e3, "um": 1.0, "µm": 1.0, "nm": 1e-3}
NANOMETRES = {"m": 1e9, "nm": 1.0}


@dataclass(slots=True)
class _Index:
    """What an index tells."""

    plate: dict[str, str] = field(default_factory=dict)
    entries: dict[str, ET.Element] = field(default_factory=dict)
    """What the images of a channel have in common, by the channel's number."""
    planes: dict[Plane, Mapping[str, float]] = field(default_factory=dict)
    """With their places in micrometres, and their moments in seconds as ``t``."""


def _index_path(store: Store, path: str) -> str:
    """Raises Unreadable where there is none."""
    for name in MARKERS:
        if store.stat(joined(path, name)):
            return joined(path, name)
    raise Unreadable(f"{path}: there is no {INDEXES[0]}")


def _index(store: Store, path: str) -> _Index:
    found = _Index()
    for element in records(store, path, frozenset({"Plate", "Entry", "Image", "InstrumentType"})):
        kind = local(element)
        if kind == "Plate":
            found.plate = {**texts(element), **found.plate}
        elif kind == "InstrumentType":
            found.plate.setdefault("InstrumentType", (element.text or "").strip())
        elif kind == "Entry":
            _entry(element, found.entries)
        elif element.find("{*}URL") is not None:
            plane, told = _plane(element, path)
            found.planes[plane] = told
            if plane.c not in found.entries:
                _entry(element, found.entries, plane.c)
    return found


def _entry(element: ET.Element, entries: dict[str, ET.Element], channel: str = "") -> None:
    """Several maps have an entry for a channel: one tells of its lens, another of its place."""
    name = channel or attributes(element).get("ChannelID", "")
    kept = entries.setdefault(name, ET.Element("Entry"))
    kept.extend([child for child in element if len(child) == 0])


def _plane(element: ET.Element, path: str) -> tuple[Plane, Mapping[str, float]]:
    own = {local(child): child for child in element}
    told = {name: child.text or "" for name, child in own.items()}
    plane = Plane(
        whole(told, "Row") - 1,
        whole(told, "Col"),
        str(whole(told, "FieldID")),
        # Channels of one moment are taken in several sequences.
        (0, whole(told, "TimepointID", 0)),
        str(whole(told, "ChannelID")),
        whole(told, "PlaneID", 1),
        named_beside(path, told["URL"].strip()),
    )
    lengths = {
        "x": "PositionX",
        "y": "PositionY",
        "z": "PositionZ",
        "base": "AbsPositionZ",
        "t": "MeasurementTimeOffset",
    }
    units = {"t": {"s": 1.0}}
    values = {name: _number(own.get(tag), units.get(name, MICROMETRES)) for name, tag in lengths.items()}
    return plane, {name: value for name, value in values.items() if value is not None}


def _measured(element: ET.Element, tag: str, units: Mapping[str, float]) -> float | None:
    """The number of a child in our unit, None where it has none."""
    return _number(element.find(f"{{*}}{tag}"), units)


def _number(found: ET.Element | None, units: Mapping[str, float]) -> float | None:
    value = number(found.text) if found is not None else None
    if found is None or value is None:
        return None
    return value * units.get(found.get("Unit", ""), next(iter(units.values())))


def _opened(store: Store, path: str, members: Members) -> Dataset:
    version = _version(store, path)
    found = _index(store, _index_path(store, path))
    fields = by_field(found.planes)
    plate = Plate(fields=fields, about=_about(found), members=members, known=partial(_known, found.planes))
    return Dataset(version=version, images=plate.images, files=(path,))


def _version(store: Store, path: str) -> str:
    return fingerprint(store, (_index_path(store, path),))


def _known(told: Mapping[Plane, Mapping[str, float]], planes: list[Plane]) -> Known:
    first = min(planes, key=lambda plane: (plane.t, plane.z, plane.c))
    place = {axis: told[first][axis] for axis in "xyz" if axis in told[first]}
    same = [plane for plane in planes if plane.c == first.c]
    depths = {p.z: told[p]["z"] for p in same if p.t == first.t and "z" in told[p]}
    moments = {p.t: told[p]["t"] for p in same if p.z == first.z and "t" in told[p]}
    scale = {}
    for axis, values in (("z", [depths[z] for z in sorted(depths)]), ("t", [moments[t] for t in sorted(moments)])):
        if len(values) > 1:
            scale[axis] = abs(values[-1] - values[0]) / (len(values) - 1)
    return Known(position=place, scale=scale)


def _about(found: _Index) -> About:
    first = next(iter(found.entries.values()), ET.Element("Entry"))
    plate = found.plate
    sizes = {axis: _measured(first, f"ImageResolution{axis.upper()}", MICROMETRES) for axis in "yx"}
    metadata = Metadata(
        format="Operetta",
        description=plate.get("Name") or plate.get("PlateID", ""),
        acquired=plate.get("MeasurementStartTime"),
        instrument=plate.get("InstrumentType", ""),
        magnification=_measured(first, "ObjectiveMagnification", {"": 1.0}),
        aperture=_measured(first, "ObjectiveNA", {"": 1.0}),
        extra={key: plate[key] for key in ("PlateID", "MeasurementID", "PlateTypeName") if key in plate},
    )
    channels = {name: _channel(name, entry) for name, entry in found.entries.items()}
    return About(metadata=metadata, channels=channels, scale={axis: size for axis, size in sizes.items() if size})


def _channel(name: str, entry: ET.Element) -> Channel:
    return Channel(
        name=texts(entry).get("ChannelName") or name,
        excitation=_measured(entry, "MainExcitationWavelength", NANOMETRES) or None,
        emission=_measured(entry, "MainEmissionWavelength", NANOMETRES) or None,
    )


def _matches(head: Head) -> bool:
    return any(MAGIC in head.marker(name) for name in MARKERS if name in head.markers)


def _within(members: Members) -> Source:
    return Source(
        name="operetta",
        title="Operetta, Opera Phenix",
        suffixes=(),
        markers=MARKERS,
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=_version,
        within=_within,
        supports="Harmony 4 to 6: fields of plates with their planes, moments and channels, places and wavelengths; "
        "planes that were not taken are 0, files that are missing are told",
    )


source = _within(UNBOUND)
