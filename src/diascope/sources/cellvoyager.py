"""Plates of Yokogawa's CellVoyager CV7000 and CV8000: files of a folder, listed in ``MeasurementData.mlf``.

::

    MeasurementData.mlf    a record for each file: well, field, time, z, channel, position, and the file's name
    MeasurementDetail.mrf  the plate, and the size of pixels of each channel
    *.mes                  named there: objective, filters, light sources and colours of the channels

There is no public specification; the names of attributes say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from diascope.image.metadata import Channel, Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.members import Members
from diascope.sources.reading.beside import fingerprint, named_beside
from diascope.sources.reading.documents import joined
from diascope.sources.reading.numbers import number
from diascope.sources.reading.plates.plate import About, Known, Plane, Plate, by_field
from diascope.sources.reading.plates.records import attributes, records, whole
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

DATA, DETAIL = "MeasurementData.mlf", "MeasurementDetail.mrf"
BAND = re.compile(r"[A-Z]+(\d+)/\d+")
"""A filter, such as BP445/45: its wavelength and its width."""


@dataclass(frozen=True, slots=True)
class _Shot:
    """What a record tells besides the plane."""

    x: float | None
    y: float | None
    z: float | None
    time: str


def _records(store: Store, path: str) -> Iterator[tuple[Plane, _Shot]]:
    data = joined(path, DATA)
    for element in records(store, data, frozenset({"MeasurementRecord"})):
        told = attributes(element)
        name = (element.text or "").strip()
        if told.get("Type", "IMG") != "IMG" or not name:
            continue
        moment = (whole(told, "TimelineIndex", 1), whole(told, "TimePoint", 1))
        place = (whole(told, "Row") - 1, whole(told, "Column"), str(whole(told, "FieldIndex")))
        plane = Plane(*place, moment, str(whole(told, "Ch")), whole(told, "ZIndex", 1), named_beside(data, name))
        yield plane, _Shot(number(told.get("X")), number(told.get("Y")), number(told.get("Z")), told.get("Time", ""))


def _opened(store: Store, path: str, members: Members) -> Dataset:
    version = _version(store, path)
    shots = dict(_records(store, path))
    fields = by_field(shots)
    plate = Plate(fields=fields, about=_about(store, path), members=members, known=partial(_known, shots))
    return Dataset(version=version, images=plate.images, files=(path,))


def _version(store: Store, path: str) -> str:
    return fingerprint(store, (joined(path, DATA), joined(path, DETAIL)))


def _known(shots: Mapping[Plane, _Shot], planes: list[Plane]) -> Known:
    """Of a field: its place, the distance of its planes, and when they were taken."""
    first = min(planes, key=lambda plane: (plane.t, plane.z, plane.c))
    shot = shots[first]
    place = {axis: at for axis, at in (("x", shot.x), ("y", shot.y), ("z", shot.z)) if at is not None}
    depths = sorted({(p.z, z) for p in planes if p.c == first.c and p.t == first.t and (z := shots[p].z) is not None})
    moments = sorted({(p.t, shots[p].time) for p in planes if p.c == first.c and p.z == first.z})
    scale = {}
    if len(depths) > 1:
        scale["z"] = abs(depths[-1][1] - depths[0][1]) / (len(depths) - 1)
    if len(moments) > 1 and (seconds := _seconds(moments[0][1], moments[-1][1])):
        scale["t"] = seconds / (len(moments) - 1)
    return Known(position=place, scale=scale, acquired=shot.time or None)


def _seconds(first: str, last: str) -> float | None:
    try:
        found = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
    except (ValueError, TypeError):
        return None
    return found if found > 0 else None


def _about(store: Store, path: str) -> About:
    """What the other files tell; nothing of those that are missing."""
    told: dict[str, Any] = {}
    scale: dict[str, float] = {}
    settings, name = "", ""
    tags = frozenset({"MeasurementChannel", "MeasurementSamplePlate", "MeasurementDetail"})
    for element in _of(store, joined(path, DETAIL), tags):
        own = attributes(element)
        for axis, key in (("x", "HorizontalPixelDimension"), ("y", "VerticalPixelDimension")):
            if size := number(own.get(key)):
                scale.setdefault(axis, size)
        name = name or own.get("Name", "")
        settings = settings or own.get("MeasurementSettingFileName", "")
        told |= {key: own[key] for key in ("Title", "BeginTime", "TargetSystem") if key in own}
    channels, lens = _channels(store, named_beside(joined(path, DETAIL), settings)) if settings else ({}, {})
    metadata = Metadata(
        format="CellVoyager",
        description=name or told.get("Title", ""),
        acquired=told.get("BeginTime"),
        instrument=f"Yokogawa {told.get('TargetSystem', 'CellVoyager')}",
        magnification=number(lens.get("Magnification")),
        objective=lens.get("Objective", ""),
        extra={"plate": name},
    )
    return About(metadata=metadata, channels=channels, scale=scale)


def _of(store: Store, path: str, tags: frozenset[str]) -> Iterator[Any]:
    return records(store, path, tags) if store.stat(path) else iter(())


def _channels(store: Store, path: str) -> tuple[dict[str, Channel], dict[str, str]]:
    """The channels by their numbers, and what the first tells of its lens."""
    lights: dict[str, float | None] = {}
    found: dict[str, Channel] = {}
    lens: dict[str, str] = {}
    for element in _of(store, path, frozenset({"LightSource", "Channel"})):
        told = attributes(element)
        if "WaveLength" in told:
            lights[told.get("Name", "")] = number(told["WaveLength"]) or None
            continue
        if "Ch" not in told:
            continue
        lens = lens or told
        band = BAND.match(told.get("Acquisition", ""))
        lit = [(child.text or "").strip() for child in element]
        colour = told.get("Color", "")[-6:].lower()
        found[told["Ch"]] = Channel(
            name=told.get("Fluorophore") or told.get("Target") or told["Ch"],
            colour=colour if re.fullmatch("[0-9a-f]{6}", colour) else None,
            excitation=next((lights[name] for name in lit if lights.get(name)), None),
            emission=float(band[1]) if band else None,
        )
    return found, lens


def _matches(head: Head) -> bool:
    return DATA in head.markers


def _within(members: Members) -> Source:
    return Source(
        name="cellvoyager",
        title="Yokogawa CellVoyager",
        suffixes=(),
        markers=(DATA,),
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=_version,
        within=_within,
        supports="CV7000 and CV8000: fields of plates with their planes, moments and channels, places and wavelengths; "
        "planes that were not taken are 0, files that are missing are told",
    )


source = _within(UNBOUND)
