"""The axes of an image, in the words of OME-Zarr (https://ngff.openmicroscopy.org/0.5/#axes-md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

AxisType: TypeAlias = Literal["space", "time", "channel"]

ORDER = "tczyx"
"""Every image has its axes in this order, slowest first, and lacks those that it does not need."""

TYPES: dict[str, AxisType] = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis; ``unit`` is a UDUNITS-2 name such as ``micrometer``, and None where nothing is known."""

    name: str
    unit: str | None = None

    @property
    def type(self) -> AxisType:
        return TYPES[self.name]


def axes_named(names: str, units: dict[str, str] | None = None) -> tuple[Axis, ...]:
    """The axes of these one-letter names, each with its unit where one is known."""
    units = units or {}
    return tuple(Axis(name, units.get(name)) for name in names)
