"""What is told of an image besides its pixels; nothing of it names the patient or anybody else."""

from __future__ import annotations

from typing import Any

from diascope.image.metadata import LARGEST_PROFILE, Metadata
from diascope.sources.dicom.file import Instance
from diascope.sources.dicom.stacks import Stack
from diascope.sources.dicom.values import moment, number, text, value

TOLD = (
    "Modality", "PhotometricInterpretation", "ImageType", "SeriesNumber", "RescaleType", "DoseUnits", "DoseType",
    "SegmentationType",
)  # fmt: skip
MEASURED = ("SliceThickness", "SpacingBetweenSlices", "RepetitionTime", "EchoTime", "DiffusionBValue")
OVERLAYS = range(0x6000, 0x6020, 2)


def described(stack: Stack, *, is_applied: bool) -> Metadata:
    file = stack.first.frames.file
    rescale = stack.first.rescale
    extra = said(file)
    if stack.told:
        extra["Geometry"] = stack.told
    if is_applied:
        extra["Rescaled"] = "The slices' scales differ: pixels are slope times stored value plus intercept."
    return Metadata(
        format=format_of(file),
        description=text(file.data, "SeriesDescription") or text(file.data, "StudyDescription"),
        acquired=acquired(file.data),
        instrument=instrument(file.data),
        rescale=None if is_applied or rescale == (1.0, 0.0) else rescale,
        icc=profile(file.data) if stack.first.frames.stored.samples > 1 else None,
        extra=extra,
    )


def said(file: Instance) -> dict[str, Any]:
    """Elements in DICOM's own words."""
    data = file.data
    extra: dict[str, Any] = {word: found for word in TOLD if (found := text(data, word))}
    extra |= {word: measure for word in MEASURED if (measure := number(data, word)) is not None}
    overlays = [group for group in OVERLAYS if (group << 16 | 0x10) in data]
    if overlays:
        extra["Overlays"] = len(overlays)
    return extra


def format_of(file: Instance) -> str:
    kind = str(getattr(file.data.get("SOPClassUID"), "name", "")).removesuffix(" Storage")
    return f"DICOM {kind}" if kind and not kind.startswith("1.") else "DICOM"


def acquired(data: Any) -> str | None:
    """When its pixels were taken, else when the series was begun."""
    pairs = (("AcquisitionDateTime", ""), ("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime"))
    found = (moment(text(data, date), text(data, time) if time else "") for date, time in (*pairs, ("StudyDate", "")))
    return next((each for each in found if each), None)


def instrument(data: Any) -> str:
    return " ".join(part for part in (text(data, "Manufacturer"), text(data, "ManufacturerModelName")) if part)


def profile(data: Any) -> bytes | None:
    found = value(data, "ICCProfile")
    return found if isinstance(found, bytes) and 0 < len(found) <= LARGEST_PROFILE else None
