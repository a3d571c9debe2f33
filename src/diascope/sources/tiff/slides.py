"""What slide scanners write of their images.

Aperio SVS: https://openslide.org/formats/aperio/; Hamamatsu NDPI: https://openslide.org/formats/hamamatsu/;
Leica SCN: https://openslide.org/formats/leica/; Akoya QPTIFF: the vendor's "PhenoImager TIFF" description.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from diascope.image.metadata import Channel, Metadata
from diascope.sources.reading.numbers import number
from diascope.sources.reading.xml import child, children, parsed_xml, text
from diascope.sources.tiff.parsed import Parsed
from diascope.sources.tiff.resolution import resolution
from diascope.sources.tiff.scene import Facts

LENS = 65421
"""NDPI: the magnification; -1 marks the macro picture and -2 the map."""

REFERENCE = 65427
BASELINE = "Baseline"


def svs(file: Parsed, series: Any) -> Facts:
    """Of the slide; its pictures have no known pixel size."""
    text = file.tiff.pages.first.description
    said = dict(part.split("=", 1) for part in text.split("|")[1:] if "=" in part)
    said = {key.strip(): value.strip() for key, value in said.items()}
    size = number(said.get("MPP"))
    is_slide = series.name == BASELINE
    spacing = dict.fromkeys("yx", (size, "micrometer")) if size and size > 0 and is_slide else {}
    return Facts(
        spacing=spacing,
        metadata=Metadata(
            format="Aperio SVS",
            description=series.keyframe.description.split("|")[0].replace("\r\n", "\n"),
            acquired=_date(f"{said.get('Date', '')} {said.get('Time', '')}".strip(), "%m/%d/%y %H:%M:%S"),
            magnification=number(said.get("AppMag")),
            extra=said if is_slide else {},
        ),
    )


def ndpi(_: Parsed, series: Any) -> Facts:
    """Of one of the images; the map is not calibrated."""
    tags = series.keyframe.tags
    lens = tags.valueof(LENS)
    is_slide = isinstance(lens, float) and lens > 0
    return Facts(
        spacing=resolution(series.keyframe) if not isinstance(lens, float) or lens > -2 else {},
        metadata=Metadata(
            format="Hamamatsu NDPI",
            description=str(tags.valueof(REFERENCE, "")),
            acquired=_date(str(tags.valueof(306, "")), "%Y:%m:%d %H:%M:%S"),
            magnification=float(lens) if is_slide else None,
            extra={key: str(tags.valueof(code)) for key, code in (("make", 271), ("model", 272)) if code in tags},
        ),
    )


def scn(file: Parsed, series: Any) -> Facts:
    """Of the image whose first directory the series begins with."""
    root = parsed_xml(file.tiff.pages.first.description, file.path)
    element = _scn_image(root, series.keyframe.index)
    if element is None:
        return Facts(metadata=Metadata(format="Leica SCN"))
    view, pixels = child(element, "view"), child(element, "pixels")
    settings = child(child(element, "scanSettings"), "objectiveSettings")
    objective = child(settings, "objective")
    date = child(element, "creationDate")
    return Facts(
        spacing=_scn_spacing(view, pixels),
        metadata=Metadata(
            format="Leica SCN",
            acquired=date.text if date is not None else None,
            magnification=number(objective.text) if objective is not None else None,
            extra={"name": element.get("name", "")},
        ),
    )


def _scn_image(root: ET.Element, index: int) -> ET.Element | None:
    images = [image for collection in children(root, "collection") for image in children(collection, "image")]
    for image in images:
        dimensions = children(child(image, "pixels"), "dimension")
        if any(number(dimension.get("ifd")) == index for dimension in dimensions):
            return image
    return None


def _scn_spacing(view: ET.Element | None, pixels: ET.Element | None) -> dict[str, tuple[float, str]]:
    """A view's size is in nanometres."""
    spacing = {}
    for axis, attribute in (("y", "sizeY"), ("x", "sizeX")):
        extent = number(view.get(attribute)) if view is not None else None
        count = number(pixels.get(attribute)) if pixels is not None else None
        if extent and count and extent > 0 and count > 0:
            spacing[axis] = (extent / count / 1000, "micrometer")
    return spacing


def qptiff(file: Parsed, series: Any) -> Facts:
    """Of the slide, whose channels are told by a page each."""
    roots = [parsed_xml(_told_encoding(page.description), file.path) for page in series.pages if page is not None]
    first = roots[0]
    objective = re.match(r"\s*([\d.]+)\s*x", _text(first, "Objective"))
    return Facts(
        spacing=resolution(series.keyframe) if series.name == BASELINE else {},
        channels=tuple(Channel(name=_text(root, "Name"), colour=_colour(_text(root, "Color"))) for root in roots),
        metadata=Metadata(
            format="Akoya QPTIFF",
            magnification=float(objective[1]) if objective else None,
            acquired=_date(str(series.keyframe.tags.valueof(306, "")), "%Y:%m:%d %H:%M:%S"),
            extra={key: text for key in ("SlideID", "AcquisitionSoftware", "ImageType") if (text := _text(first, key))},
        ),
    )


def _told_encoding(text: str) -> str:
    """The document without the declaration of an encoding that it had before it became text."""
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", text)


def _text(root: ET.Element, tag: str) -> str:
    return text(child(root, tag))


def _colour(text: str) -> str | None:
    """``rrggbb`` of three decimal numbers."""
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and int(part) < 256 for part in parts):
        return None
    return bytes(map(int, parts)).hex()


def _date(text: str, form: str) -> str | None:
    """ISO 8601, None where the text has not this form."""
    try:
        return datetime.strptime(text, form).isoformat()  # noqa: DTZ007 - scanners write their local time
    except ValueError:
        return None
