"""What OME-XML says of images (https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from diascope.image.metadata import Channel, Metadata
from diascope.image.units import METRES, named, ratio
from diascope.sources.reading.numbers import number, positive
from diascope.sources.reading.xml import child, children, text
from diascope.sources.tiff.scene import Facts

UNITS = {"X": "µm", "Y": "µm", "Z": "µm"}
"""What the schema takes where no unit is written."""


def facts(root: ET.Element, element: ET.Element) -> Facts:
    """What is known of one Image element."""
    pixels = child(element, "Pixels")
    attributes = pixels.attrib if pixels is not None else {}
    channels = tuple(map(_channel, children(pixels, "Channel")))
    objective = _objective(root, element)
    samples = [channel.get("SamplesPerPixel", "1") for channel in children(pixels, "Channel")]
    return Facts(
        spacing=_spacing(attributes),
        channels=channels if set(samples) <= {"1"} else (),
        metadata=Metadata(
            format="OME-TIFF",
            description=text(child(element, "Description")),
            acquired=_acquired(element),
            magnification=number(objective.get("NominalMagnification")),
            objective=objective.get("Model") or "",
            aperture=positive(objective.get("LensNA")),
            instrument=_instrument(root, element),
            position=_position(element),
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
    return text(child(element, "AcquisitionDate")) or element.get("AcquiredDate")


def _objective(root: ET.Element, element: ET.Element) -> Mapping[str, str]:
    """The attributes of the objective that an image was made with."""
    settings = child(element, "ObjectiveSettings")
    if settings is None:
        settings = child(element, "ObjectiveRef")
    wanted = settings.get("ID") if settings is not None else None
    objectives = [o for instrument in children(root, "Instrument") for o in children(instrument, "Objective")]
    return next((each.attrib for each in objectives if wanted and each.get("ID") == wanted), {})


def _instrument(root: ET.Element, element: ET.Element) -> str:
    """The maker and the model of the microscope, as far as they are told."""
    reference = child(element, "InstrumentRef")
    wanted = reference.get("ID") if reference is not None else None
    for instrument in children(root, "Instrument"):
        microscope = child(instrument, "Microscope")
        if wanted and instrument.get("ID") == wanted and microscope is not None:
            told = microscope.get("Manufacturer", ""), microscope.get("Model", "")
            return " ".join(each for each in told if each)
    return ""


def _position(element: ET.Element) -> dict[str, float]:
    """Where the stage was for the image, or else for its first plane; nothing along axes without a unit of length."""
    pixels, stage = child(element, "Pixels"), child(element, "StageLabel")
    plane = child(pixels, "Plane") if pixels is not None else None
    of_stage, of_plane = _micrometres(stage, ""), _micrometres(plane, "Position")
    return of_stage or of_plane


def _micrometres(element: ET.Element | None, start: str) -> dict[str, float]:
    if element is None:
        return {}
    found = {}
    for axis in "XYZ":
        value, unit = number(element.get(f"{start}{axis}")), named(element.get(f"{start}{axis}Unit"))
        if value is not None and unit in METRES:
            found[axis.lower()] = value * ratio(unit, "micrometer")
    return found


def _extra(root: ET.Element, element: ET.Element) -> dict[str, Any]:
    known = {"creator": root.get("Creator"), "name": element.get("Name"), "id": element.get("ID")}
    return {key: value for key, value in known.items() if value}


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
