"""The OME-XML of an image in a single file (https://www.openmicroscopy.org/Schemas/OME/2016-06/)."""

from __future__ import annotations

import re
from datetime import datetime
from math import isfinite
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from diascope.image.image import Image
from diascope.image.metadata import Channel, Metadata
from diascope.image.units import METRES, SECONDS

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

TYPES = {
    "int8": "int8", "int16": "int16", "int32": "int32", "uint8": "uint8", "uint16": "uint16", "uint32": "uint32",
    "float32": "float", "float64": "double", "complex64": "complex", "complex128": "double-complex",
}  # fmt: skip
"""PixelType by the name of the numpy type."""

PREFIX_SYMBOLS = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "µ", "milli": "m",
    "centi": "c", "deci": "d", "": "", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G",
}  # fmt: skip

SYMBOLS = {
    **{prefix + "meter": symbol + "m" for prefix, symbol in PREFIX_SYMBOLS.items()},
    **{prefix + "second": symbol + "s" for prefix, symbol in PREFIX_SYMBOLS.items()},
    "angstrom": "Å", "inch": "in", "foot": "ft", "yard": "yd", "mile": "mi", "minute": "min", "hour": "h", "day": "d",
}  # fmt: skip
"""UnitsLength and UnitsTime by the name of the unit."""

DESCRIBED_CHANNELS = 4096
"""Of more channels none is described: the elements are optional, and a header is no place for a million of them."""

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no characters for, https://www.w3.org/TR/xml/#charsets."""


def ome_xml(image: Image, pixel_type: str, *, samples: int, planes: int) -> bytes:
    """The description of an image whose planes lie in the directories 0, 1, … of its file, z first, then c, then t.

    ``samples`` is how many channels each plane holds. The same image always gives the same bytes.
    """
    ome = Element("OME", {"xmlns": NAMESPACE, "xmlns:xsi": INSTANCE, "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}"})
    has_instrument, has_objective = _add_instrument(ome, image.metadata)
    described = SubElement(ome, "Image", ID="Image:0", Name=_clean(image.name))
    if acquired := _date_time(image.metadata.acquired):
        SubElement(described, "AcquisitionDate").text = acquired
    if image.metadata.description:
        SubElement(described, "Description").text = _clean(image.metadata.description)
    if has_instrument:
        SubElement(described, "InstrumentRef", ID="Instrument:0")
    if has_objective:
        SubElement(described, "ObjectiveSettings", ID="Objective:0:0")
    if stage := _stage(image.metadata):
        SubElement(described, "StageLabel", {"Name": "Stage", **stage})
    pixels = SubElement(described, "Pixels", _pixels(image, pixel_type, samples))
    _add_channels(pixels, image, samples)
    SubElement(pixels, "TiffData", IFD="0", PlaneCount=str(planes))
    if stage:
        # Programs that put tiles beside one another look for their places at the first plane.
        places = {f"Position{key}": value for key, value in stage.items()}
        SubElement(pixels, "Plane", {"TheZ": "0", "TheC": "0", "TheT": "0", **places})
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(tostring(ome, encoding="utf-8", xml_declaration=False))


def _add_instrument(ome: Element, metadata: Metadata) -> tuple[bool, bool]:
    """Whether there is an instrument, and whether it has an objective."""
    objective = _objective(metadata)
    if not objective and not metadata.instrument:
        return False, False
    instrument = SubElement(ome, "Instrument", ID="Instrument:0")
    if metadata.instrument:
        SubElement(instrument, "Microscope", Model=_clean(metadata.instrument))
    if objective:
        SubElement(instrument, "Objective", {"ID": "Objective:0:0", **objective})
    return True, bool(objective)


def _objective(metadata: Metadata) -> dict[str, str]:
    numbers = {"LensNA": metadata.aperture, "NominalMagnification": metadata.magnification}
    told = {key: _number(value) for key, value in numbers.items() if value is not None and isfinite(value)}
    return {"Model": _clean(metadata.objective), **told} if metadata.objective else told


def _stage(metadata: Metadata) -> dict[str, str]:
    """X, Y and Z of what is known of the stage, each with its unit."""
    known = {axis.upper(): metadata.position.get(axis) for axis in "xyz"}
    told = {axis: _number(value) for axis, value in known.items() if value is not None and isfinite(value)}
    return told | {f"{axis}Unit": SYMBOLS["micrometer"] for axis in told}


def _pixels(image: Image, pixel_type: str, samples: int) -> dict[str, str]:
    attributes = {"ID": "Pixels:0", "DimensionOrder": "XYZCT", "Type": pixel_type, "BigEndian": "false"}
    attributes |= {"Interleaved": "true"} if samples > 1 else {}
    attributes |= {f"Size{name.upper()}": str(image.size(name)) for name in "xyzct"}
    for axis, scale in zip(image.axes, image.levels[0].scale, strict=True):
        if axis.unit in (SECONDS if axis.name == "t" else METRES) and isfinite(scale) and scale > 0:
            key = "TimeIncrement" if axis.name == "t" else f"PhysicalSize{axis.name.upper()}"
            attributes |= {key: _number(scale), f"{key}Unit": SYMBOLS[axis.unit]}
    return attributes


def _add_channels(pixels: Element, image: Image, samples: int) -> None:
    count = image.size("c") // samples
    if count > DESCRIBED_CHANNELS:
        return
    # The colours of a picture are one channel of several samples, which has neither colour nor name of its own.
    known = image.channels if samples == 1 and len(image.channels) == count else (Channel(),) * count
    for k, channel in enumerate(known):
        SubElement(pixels, "Channel", {"ID": f"Channel:0:{k}", "SamplesPerPixel": str(samples), **_channel(channel)})


def _channel(channel: Channel) -> dict[str, str]:
    attributes = {"Name": _clean(channel.name)} if channel.name else {}
    if channel.colour:
        attributes["Color"] = str(signed_colour(channel.colour))
    for key, wavelength in (("ExcitationWavelength", channel.excitation), ("EmissionWavelength", channel.emission)):
        if wavelength is not None and isfinite(wavelength) and wavelength > 0:
            attributes |= {key: _number(wavelength), f"{key}Unit": "nm"}
    return attributes


def signed_colour(colour: str) -> int:
    """Red, green, blue and full opacity, highest byte first, as a signed integer of 32 bits."""
    return int(np.array(int(colour + "ff", 16), np.uint32).astype(np.int32))


def _number(value: float) -> str:
    """A number in the fewest digits that say it exactly."""
    return repr(float(value)).removesuffix(".0")


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)


def _date_time(text: str | None) -> str | None:
    """A date and time as xsd:dateTime wants them, None where the text is neither."""
    try:
        return datetime.fromisoformat(text).isoformat() if text else None
    except ValueError:
        return None
