"""What the properties of a VSI file say of one of its stacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diascope.image.metadata import Channel, Metadata
from diascope.sources.cellsens.volume import Volume
from diascope.sources.reading.dates import since_1970

COLLECTION, STACK, FRAME, EXTERNAL, PROPERTIES, DIMENSION, DESCRIPTION = 2000, 2001, 2002, 2018, 2005, 2007, 2008

BOUNDARY, STACK_NAME, STACK_TYPE, CREATED, PIXEL_SIZE, PIXEL_UNIT = 2053, 2030, 2074, 2015, 2019, 2020
MEANING, Z_INCREMENT, TIME_INCREMENT = 2023, 2013, 2016
CHANNEL_NAME, DIMENSION_NAME, EMISSION, EXCITATION, LIMITS, TABLE = 2419, 2021, 2417, 2474, 2003, 2004
OPTICAL_PATH, DEVICE, DEVICE_NAME, DEVICE_MODEL, DEVICE_KIND = 2043, 120114, 120116, 120132, 120130
MAGNIFICATION, APERTURE, LENS, LENS_TOLD, EXPOSURE = 120060, 120061, 120063, 120065, 100002
UNIT, VALUE = 268435456, 268435458
PRODUCT, PRODUCT_NAME, PRODUCT_VERSION = 2, 34, 35

AXES = {1: "z", 2: "t", 4: "c"}
"""What the meaning of a dimension is."""

MICROSCOPE_FRAME = 40500

KINDS = {1: "overview", 256: "macro"}
"""Stacks that are pictures of the slide."""

SCALED = re.compile(r"10\^(-?\d{1,2})(m|s)\^1")


@dataclass(frozen=True, slots=True)
class Stack:
    """One of them; empty where the file says nothing of it."""

    name: str = ""
    kind: str = ""
    """``label``, ``macro`` or ``overview``, empty where it is an image."""
    size: tuple[int, int] | None = None
    """Rows and columns."""
    dimensions: Mapping[int, str] = field(default_factory=dict)
    """The axis of each dimension behind x and y."""
    spacing: Mapping[str, float] = field(default_factory=dict)
    """Micrometres along x, y and z, seconds along t."""
    channels: tuple[Channel, ...] = ()
    metadata: Metadata = field(default_factory=lambda: Metadata(format="cellSens VSI"))


def stacks(tree: Volume) -> dict[int, Stack]:
    """The stacks by their numbers, as their folders are called after."""
    product = tree.volume(PRODUCT)
    software = " ".join(text for tag in (PRODUCT_NAME, PRODUCT_VERSION) if (text := product.get(tag, str)))
    found = (field for field in tree.volume(COLLECTION).all(STACK) if isinstance(field.value, Volume))
    return {field.second: _stack(field.value, software) for field in found}


def _stack(volume: Volume, software: str) -> Stack:
    properties = volume.volume(PROPERTIES)
    dimensions = [field for field in volume.all(DIMENSION) if isinstance(field.value, Volume)]
    meanings = {field.second: field.value.volume(DESCRIPTION) for field in dimensions}
    axes = {k: AXES[told.get(MEANING, int)] for k, told in meanings.items() if told.get(MEANING, int) in AXES}
    described = {axes[field.second]: field.value for field in dimensions if field.second in axes}
    channels = [each.value for each in described.get("c", Volume()).all(DESCRIPTION) if isinstance(each.value, Volume)]
    name = properties.get(STACK_NAME, str) or ""
    return Stack(
        name=name,
        kind="label" if name.lower() == "label" else KINDS.get(properties.get(STACK_TYPE, int), ""),
        size=_size(volume),
        dimensions=axes,
        spacing=_spacing(properties, described),
        channels=tuple(map(_channel, channels)),
        metadata=_metadata(properties, channels, name, software),
    )


def _size(volume: Volume) -> tuple[int, int] | None:
    for frame in volume.all(FRAME):
        box: Any = frame.value.volume(EXTERNAL).get(BOUNDARY, tuple) if isinstance(frame.value, Volume) else None
        if box and len(box) == 4 and min(box[2:]) > 0:
            return box[3], box[2]
    return None


def _spacing(properties: Volume, described: Mapping[str, Volume]) -> dict[str, float]:
    found = {}
    sizes: Any = properties.get(PIXEL_SIZE, tuple) or ()
    scale = _scale(properties.get(PIXEL_UNIT, str), "m")
    if scale and len(sizes) == 2 and all(0 < size < 1e9 for size in sizes):
        found = {"x": sizes[0] * scale, "y": sizes[1] * scale}
    for axis, tag, base in (("z", Z_INCREMENT, "m"), ("t", TIME_INCREMENT, "s")):
        value = _quantity(described.get(axis, Volume()).volume(DESCRIPTION, tag), base)
        if value is not None and 0 < abs(value) < 1e9:
            found[axis] = abs(value)
    return found


def _scale(unit: str | None, base: str) -> float | None:
    """Micrometres or seconds in a unit, None where it is none of length or time."""
    found = SCALED.fullmatch(unit or "")
    if found is None or found[2] != base:
        return None
    # 10 to the power of a text: 10**-6 * 10**6 must be 1.
    return float(f"1e{int(found[1]) + (6 if base == 'm' else 0)}")


def _quantity(volume: Volume, base: str) -> float | None:
    """A value with its unit."""
    scale, value = _scale(volume.get(UNIT, str), base), volume.get(VALUE, float)
    return None if scale is None or value is None else value * scale


def _channel(told: Volume) -> Channel:
    limits: Any = told.get(LIMITS, tuple) or ()
    window = (limits[0], limits[1]) if len(limits) == 2 and limits[0] < limits[1] < float("inf") else None
    colours = told.volume(TABLE).get(VALUE, bytes) or b""
    last = colours[-3:][::-1] if len(colours) >= 3 else b""
    lengths = (_quantity(told.volume(tag), "m") for tag in (EXCITATION, EMISSION))
    excitation, emission = (round(length * 1000, 6) if length and length > 0 else None for length in lengths)
    return Channel(
        name=told.get(CHANNEL_NAME, str) or told.get(DIMENSION_NAME, str) or "",
        colour=last.hex() if any(last) else None,
        window=window,
        excitation=excitation,
        emission=emission,
    )


def _devices(told: Volume) -> list[Volume]:
    return [each.value for each in told.volume(OPTICAL_PATH).fields if isinstance(each.value, Volume)]


def _metadata(properties: Volume, channels: list[Volume], name: str, software: str) -> Metadata:
    devices = _devices(properties)
    lens = next((each.volume(DEVICE) for each in devices if each.volume(DEVICE).get(MAGNIFICATION, float)), Volume())
    frame = next((each for each in devices if each.get(DEVICE_KIND, int) == MICROSCOPE_FRAME), Volume())
    camera = next((each for each in devices if each.get(DEVICE_KIND, int) == 0), Volume())
    exposures = [
        next((ms for each in _devices(told) if (ms := each.volume(DEVICE).get(EXPOSURE, int)) is not None), None)
        for told in channels
    ]
    extra: dict[str, Any] = {"software": software, "camera": camera.get(DEVICE_NAME, str)}
    if any(exposures):
        extra["exposures"] = exposures
    return Metadata(
        format="cellSens VSI",
        description=name,
        acquired=since_1970(properties.get(CREATED, int)),
        magnification=lens.get(MAGNIFICATION, float),
        objective=lens.get(LENS_TOLD, str) or lens.get(LENS, str) or "",
        aperture=lens.get(APERTURE, float),
        instrument=frame.get(DEVICE_MODEL, str) or "",
        extra={key: value for key, value in extra.items() if value},
    )
