"""What OME-XML says of images (https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from diascope.image.metadata import Channel, Metadata
from diascope.image.units import METRES, named
from diascope.sources.reading.xml import child, children, number
from diascope.sources.tiff.scene import Facts

UNITS = {"X": "µm", "Y": "µm", "Z": "µm"}
"""What the schema takes where no unit is written."""


def facts(root: ET.Element, element: ET.Element) -> Facts:
    """What is known of one Image element."""
    pixels = child(element, "Pixels")
    attributes = pixels.attrib if pixels is not None else {}
    channels = tuple(map(_channel, children(pixels, "Channel")))
    samples = [channel.get("SamplesPerPixel", "1") for channel in children(pixels, "Channel")]
    return Facts(
        spacing=_spacing(attributes),
        channels=channels if set(samples) <= {"1"} else (),
        metadata=Metadata(
            format="OME-TIFF",
            description=_text(child(element, "Description")),
            acquired=_acquired(element),
            magnification=_magnification(root, element),
            extra=_extra(root, element),
        ),
    )


def _spacing(attributes: dict[str, str]) -> dict[str, tuple[float, str]]:
    spacing = {}
    for letter, default in UNITS.items():
        size = number(attributes.get(f"PhysicalSize{letter}"))
        unit = named(attributes.get(f"PhysicalSize{letter}Unit", default))
        if size and size > 0 and unit:
            spacing[letter.lower()] = (size, unit)
    step, unit = number(attributes.get("TimeIncrement")), named(attributes.get("TimeIncrementUnit", "s"))
    if step and step > 0 and unit:
        spacing["t"] = (step, unit)
    return spacing


def _channel(element: ET.Element) -> Channel:
    return Channel(
        name=element.get("Name") or element.get("Fluor") or "",
        colour=_colour(element.get("Color")),
        excitation=_nanometres(element, "Excitation"),
        emission=_nanometres(element, "Emission"),
    )


def _colour(text: str | None) -> str | None:
    """``rrggbb`` of a signed integer that is red, green, blue and opacity, each of 8 bits."""
    value = number(text)
    return f"{int(value) >> 8 & 0xFFFFFF:06x}" if value is not None else None


def _nanometres(element: ET.Element, which: str) -> float | None:
    value = number(element.get(f"{which}Wavelength"))
    unit = named(element.get(f"{which}WavelengthUnit", "nm"))
    return value * (METRES[unit] / METRES["nanometer"]) if value is not None and unit in METRES else None


def _acquired(element: ET.Element) -> str | None:
    return _text(child(element, "AcquisitionDate")) or element.get("AcquiredDate")


def _magnification(root: ET.Element, element: ET.Element) -> float | None:
    settings = child(element, "ObjectiveSettings")
    if settings is None:
        settings = child(element, "ObjectiveRef")
    wanted = settings.get("ID") if settings is not None else None
    objectives = [o for instrument in children(root, "Instrument") for o in children(instrument, "Objective")]
    for objective in objectives:
        if objective.get("ID") == wanted:
            return number(objective.get("NominalMagnification"))
    return None


def _extra(root: ET.Element, element: ET.Element) -> dict[str, Any]:
    known = {"creator": root.get("Creator"), "name": element.get("Name"), "id": element.get("ID")}
    return {key: value for key, value in known.items() if value}


def _text(element: ET.Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def image_elements(root: ET.Element) -> list[ET.Element]:
    """The Image elements in their order."""
    return children(root, "Image")


def matching(root: ET.Element, sizes: list[tuple[str, int, int]]) -> list[ET.Element | None]:
    """For each series' name, width and height the Image element that it was made of; some have none."""
    elements = image_elements(root)
    found: list[ET.Element | None] = []
    at = 0
    for name, width, height in sizes:
        fits = (k for k in range(at, len(elements)) if _fits(elements[k], name, width, height))
        k = next(fits, None)
        found.append(elements[k] if k is not None else None)
        at = k + 1 if k is not None else at
    return found


def _fits(element: ET.Element, name: str, width: int, height: int) -> bool:
    pixels = child(element, "Pixels")
    if pixels is None or (element.get("Name") and name not in {element.get("Name"), "Baseline", ""}):
        return False
    return (number(pixels.get("SizeX")), number(pixels.get("SizeY"))) == (width, height)
