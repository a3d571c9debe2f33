"""What the metadata of a CZI file say (https://github.com/ZEISS/libczi, ImageMetadata of the format)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from diascope.image.metadata import Channel, Metadata
from diascope.sources.czi.codecs import TITLES
from diascope.sources.czi.directory import Subblocks
from diascope.sources.reading.numbers import number, positive
from diascope.sources.reading.xml import child, children, parsed_xml, text

MICROMETRES = 1e6
"""In a metre."""

COLOUR = re.compile(r"#(?:[0-9a-fA-F]{2})?([0-9a-fA-F]{6})")
MINIFICATIONS = (2, 3, 4)
TOLD = ("ExposureTime", "AcquisitionMode", "ContrastMethod", "IlluminationType", "Fluor", "PinholeSizeAiry")
"""Of a channel, in the format's own words; exposures are in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the images of a file."""

    spacing: Mapping[str, float] = field(default_factory=dict)
    """Micrometres along x, y and z, seconds along t, of what the file tells."""
    channels: tuple[tuple[Channel, Mapping[str, Any]], ...] = ()
    """In the order of their numbers, with what else is told; windows are parts of the range of the pixels' type."""
    scenes: Mapping[int, ET.Element] = field(default_factory=dict)
    general: Metadata = field(default_factory=Metadata)

    @property
    def units(self) -> dict[str, str]:
        return {axis: "second" if axis == "t" else "micrometer" for axis in self.spacing}

    def scene_name(self, scene: int) -> str:
        """As the microscope named it, else by its number."""
        found = self.scenes.get(scene)
        return (found.get("Name") if found is not None else "") or f"scene-{scene}"

    def minification(self, scene: int) -> int:
        """By how much a level of the pyramid of a scene is smaller than the one before."""
        told = number(_text(child(self.scenes.get(scene), "PyramidInfo"), "MinificationFactor"))
        return int(told) if told in MINIFICATIONS else 2

    def channels_of(self, numbers: Iterable[int], dtype: np.dtype[Any]) -> tuple[Channel, ...]:
        """The channels of these numbers, none where nothing is told of any."""
        if not self.channels:
            return ()
        known = dict(enumerate(channel for channel, _ in self.channels))
        return tuple(_in_range(known.get(k, Channel()), dtype) for k in numbers)

    def metadata(self, scene: int, pixel_type: str, table: Subblocks) -> Metadata:
        """Of one image of the file, whose tiles of full resolution these are."""
        packing = sorted({TITLES.get(k, f"{k}") for k in np.unique(table.compression).tolist()})
        extra = {**self.general.extra, "pixel_type": pixel_type, "compression": packing}
        if told := [dict(each) for _, each in self.channels if each]:
            extra["channels"] = told
        if scene >= 0:
            extra["scene"] = {"index": scene, "name": self.scene_name(scene)}
        extra["start"] = {"x": int(table.x.min()), "y": int(table.y.min())}
        position = _position(self.scenes.get(scene)) or self.general.position
        return replace(self.general, position=position, extra=extra)


def facts(text: str, path: str, times: list[float]) -> Facts:
    """What a document says; ``times`` are those of the time points in seconds, as an attachment tells them."""
    if not text:
        return Facts(general=Metadata(format="CZI"))
    root = parsed_xml(text, path)
    metadata = child(root, "Metadata") if root.tag != "Metadata" else root
    information = child(metadata, "Information")
    image = child(information, "Image")
    dimensions = child(image, "Dimensions")
    scenes = children(_at(dimensions, "S", "Scenes"), "Scene")
    return Facts(
        spacing=_spacing(metadata, dimensions, times),
        channels=_channels(dimensions, child(metadata, "DisplaySetting")),
        scenes={int(each.get("Index", "")): each for each in scenes if each.get("Index", "").isdecimal()},
        general=_general(information, image),
    )


def _at(element: ET.Element | None, *tags: str) -> ET.Element | None:
    for tag in tags:
        element = child(element, tag)
    return element


def _text(element: ET.Element | None, *tags: str) -> str:
    return text(_at(element, *tags))


def _spacing(metadata: ET.Element | None, dimensions: ET.Element | None, times: list[float]) -> dict[str, float]:
    found = {}
    for distance in children(_at(metadata, "Scaling", "Items"), "Distance"):
        metres = number(_text(distance, "Value"))
        if metres and metres > 0 and distance.get("Id", "") in {"X", "Y", "Z"}:
            # 1.6e-06 m are 1.6 µm, and not 1.5999999999999999.
            found[distance.get("Id", "").lower()] = float(f"{metres * MICROMETRES:.12g}")
    interval = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else None
    told = number(_text(dimensions, "T", "Positions", "Interval", "Increment"))
    for seconds in (interval, told):
        if seconds and 0 < seconds < float("inf"):
            return {**found, "t": seconds}
    return found


def _channels(
    dimensions: ET.Element | None, display: ET.Element | None
) -> tuple[tuple[Channel, Mapping[str, Any]], ...]:
    shown = children(child(display, "Channels"), "Channel")
    by_id = {each.get("Id", ""): each for each in shown}
    found = []
    for k, told in enumerate(children(child(dimensions, "Channels"), "Channel")):
        display_of = by_id.get(told.get("Id", ""), shown[k] if k < len(shown) else None)
        found.append((_channel(told, display_of), {tag: _text(told, tag) for tag in TOLD if _text(told, tag)}))
    return tuple(found)


def _channel(told: ET.Element, shown: ET.Element | None) -> Channel:
    # What is shown is what its user chose.
    colour = COLOUR.fullmatch(_text(shown, "Color")) or COLOUR.fullmatch(_text(told, "Color"))
    low, high = number(_text(shown, "Low")) or 0.0, number(_text(shown, "High"))
    return Channel(
        name=told.get("Name") or (shown.get("Name") if shown is not None else None) or _text(told, "Fluor"),
        colour=colour[1].lower() if colour else None,
        window=(low, high) if high is not None and high > low else None,
        excitation=positive(_text(told, "ExcitationWavelength")),
        emission=positive(_text(told, "EmissionWavelength")),
    )


def _in_range(channel: Channel, dtype: np.dtype[Any]) -> Channel:
    """Its window in values of the type, of which it is a part; of real numbers nobody knows the range."""
    if channel.window is None or dtype.kind != "u":
        return replace(channel, window=None)
    most = float(np.iinfo(dtype).max)
    return replace(channel, window=(channel.window[0] * most, channel.window[1] * most))


def _general(information: ET.Element | None, image: ET.Element | None) -> Metadata:
    instrument = child(information, "Instrument")
    lens = _lens(instrument, image)
    microscope = child(child(instrument, "Microscopes"), "Microscope")
    named = microscope.get("Name", "") if microscope is not None else ""
    document = child(information, "Document")
    texts = [_text(document, tag) for tag in ("Title", "Description", "Comment")]
    software = " ".join(filter(None, (_text(information, "Application", tag) for tag in ("Name", "Version"))))
    bits = number(_text(image, "ComponentBitCount"))
    extra = {
        "software": software,
        "bits": int(bits) if bits else None,
        "medium": _text(image, "ObjectiveSettings", "Medium"),
    }
    return Metadata(
        format="CZI",
        description="\n".join(filter(None, texts)),
        acquired=_text(image, "AcquisitionDateAndTime") or _text(document, "CreationDate") or None,
        magnification=positive(_text(lens, "NominalMagnification")),
        objective=((lens.get("Name") if lens is not None else "") or _text(lens, "Manufacturer", "Model")),
        aperture=positive(_text(lens, "LensNA")),
        instrument=named or _text(microscope, "System"),
        position=_position(child(child(child(image, "Dimensions"), "S"), "Scenes")),
        extra={key: value for key, value in extra.items() if value},
    )


def _lens(instrument: ET.Element | None, image: ET.Element | None) -> ET.Element | None:
    """The objective that the image was taken with, the only one where there is one."""
    lenses = children(child(instrument, "Objectives"), "Objective")
    reference = _at(image, "ObjectiveSettings", "ObjectiveRef")
    chosen = reference.get("Id") if reference is not None else None
    fitting = [lens for lens in lenses if lens.get("Id") == chosen] or (lenses if len(lenses) == 1 else [])
    return fitting[0] if fitting else None


def _position(scene: ET.Element | None) -> dict[str, float]:
    """Where the stage was at the centre of a scene, or at its first tile."""
    centre = [number(text) for text in _text(scene, "CenterPosition").split(",")]
    found = dict(zip("xy", centre, strict=False)) if len(centre) == 2 else {}
    first = _at(scene, "Positions", "Position")
    if first is not None:
        found = {axis: number(first.get(axis.upper())) for axis in "xyz"} | found
    return {axis: value for axis, value in found.items() if value is not None}
