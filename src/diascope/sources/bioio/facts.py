"""What BioIO tells of a scene, in the model's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, TypeVar

from diascope.image.metadata import Channel, Metadata
from diascope.image.units import METRES, SECONDS, named
from diascope.sources.reading.numbers import number, positive

T = TypeVar("T")

MORE = ("binning", "column", "row", "imaged_by", "position_index", "timelapse", "total_time_duration")
"""What BioIO's own metadata have besides, in its words."""

LONGEST_EXTRA = 1 << 20
"""Letters of all that a plug-in tells besides; more are left out."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Empty where nothing is told."""

    spacing: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    metadata: Metadata = field(default_factory=lambda: Metadata(format="BioIO"))


def facts(scene: Any) -> Facts:
    """Of a reader at a scene."""
    sizes = _tried(lambda: scene.physical_pixel_sizes)
    spacing = {axis: size for axis in "zyx" if (size := positive(getattr(sizes, axis.upper(), None)))}
    properties = _tried(lambda: scene.dimension_properties)
    # Plug-ins that tell no unit give micrometers, as OME does.
    units = {axis: _unit(properties, axis) or "micrometer" for axis in spacing}
    interval = _tried(lambda: scene.time_interval)
    seconds = positive(interval.total_seconds() if isinstance(interval, timedelta) else interval)
    if seconds:
        spacing, units = {**spacing, "t": seconds}, {**units, "t": "second"}
    names = _tried(lambda: [str(name) for name in scene.channel_names or ()]) or []
    # A plug-in that knows no names counts.
    names = [] if names == [str(k) for k in range(len(names))] else names
    return Facts(spacing, units, tuple(Channel(name=name) for name in names), _metadata(scene))


def _tried(look: Callable[[], T]) -> T | None:
    """What a plug-in tells, None where it does not: many know a part only, and raise whatever they like."""
    try:
        return look()
    except Exception:  # noqa: BLE001 - the pixels are read without it
        return None


def _unit(properties: Any, axis: str) -> str | None:
    unit = getattr(getattr(properties, axis.upper(), None), "unit", None)
    found = named(str(unit)) if unit is not None else None
    return found if found in (SECONDS if axis == "t" else METRES) else None


def _metadata(scene: Any) -> Metadata:
    reader = type(scene).__module__.partition(".")[0].replace("_", "-")
    told = _tried(lambda: scene.standard_metadata)
    places = {axis: getattr(told, f"stage_position_{axis}", None) for axis in "xy"}
    date = getattr(told, "imaging_datetime", None)
    extra = {name: _plain(value) for name in MORE if (value := getattr(told, name, None)) is not None}
    return Metadata(
        format=f"BioIO, {reader}",
        acquired=date.isoformat() if isinstance(date, datetime) else None,
        objective=str(getattr(told, "objective", None) or ""),
        position={axis: found for axis, place in places.items() if (found := number(place)) is not None},
        extra=extra if len(json.dumps(extra)) <= LONGEST_EXTRA else {},
    )


def _plain(value: Any) -> Any:
    """The value as JSON has it, its text where JSON has none."""
    if isinstance(value, bool | int | str) or (isinstance(value, float) and isfinite(value)):
        return value
    return str(value)
