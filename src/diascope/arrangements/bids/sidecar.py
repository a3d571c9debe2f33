"""What the JSON file beside an image says, and the operation that makes the image say the same.

https://bids-specification.readthedocs.io/en/stable/modality-specific-files/microscopy.html and the schema's
``rules/sidecars``. The distances of pixels are those that the image knows; where it knows none they are those of the
mapping, and the image is served with these. A flat image has the thickness of its slice along z: the official
validator refuses an OME-TIFF without PhysicalSizeZ.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose, isfinite
from typing import Any

from diascope.arrangements.bids.names import MICR, PHOTO, Suffix
from diascope.image.image import Image
from diascope.image.units import METRES, ratio
from diascope.operations.values import number_spelled

UNITS = {"mm": "millimeter", "um": "micrometer", "nm": "nanometer"}
SYMBOLS = {name: symbol for symbol, name in UNITS.items()}

PIXEL_SIZE, PIXEL_SIZE_UNITS, THICKNESS = "PixelSize", "PixelSizeUnits", "SliceThickness"

NUMBERS = frozenset({
    PIXEL_SIZE, THICKNESS, "NumericalAperture", "Magnification", "TissueDeformationScaling", "MagneticFieldStrength",
    "EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "RepetitionTimeExcitation", "RepetitionTimePreparation",
    "ChunkTransformationMatrix", "ImagingFrequency",
})  # fmt: skip
"""Keys whose texts are read as numbers."""

CHOICES = {"SampleEnvironment": ("in vivo", "ex vivo", "in vitro"), PIXEL_SIZE_UNITS: tuple(UNITS)}

MAKERS = ("Aperio", "Hamamatsu", "Leica", "Olympus", "Philips", "Roche", "Ventana", "Zeiss", "Nikon")
"""Whose name the title of a format begins with."""

SAME = 1e-3
"""How far two distances of pixels may be apart: the validator's 0.001 of the unit, or so much of the distance."""


def pixel_size(image: Image) -> tuple[list[float], str] | None:
    """The distances of pixels along x, y and, where it is known, z, and their unit.

    None where that is not known, or beyond all numbers in this unit.
    """
    known = {
        axis.name: (scale, axis.unit)
        for axis, scale in zip(image.axes, image.levels[0].scale, strict=True)
        if axis.unit in METRES
    }
    if not {"x", "y"} <= known.keys():
        return None
    unit = known["x"][1] or ""
    symbol = SYMBOLS.get(unit, "um")
    sizes = [scale * ratio(of or "", UNITS[symbol]) for scale, of in (known[axis] for axis in "xyz" if axis in known)]
    return ([float(f"{size:.12g}") for size in sizes], symbol) if all(map(isfinite, sizes)) else None


def given_size(metadata: Mapping[str, Any]) -> tuple[list[float], str] | None:
    """The same as the mapping has it."""
    sizes, unit = metadata.get(PIXEL_SIZE), metadata.get(PIXEL_SIZE_UNITS)
    if not isinstance(unit, str) or unit not in UNITS or not isinstance(sizes, list) or len(sizes) not in (2, 3):
        return None
    if not all(isinstance(size, int | float) and isfinite(size) and size > 0 for size in sizes):
        return None
    return [float(size) for size in sizes], unit


def differs(image: Image, metadata: Mapping[str, Any]) -> str | None:
    """How the mapping and the image contradict each other, None where they do not."""
    own, given = pixel_size(image), given_size(metadata)
    if own is None or given is None:
        return None
    factor = ratio(UNITS[given[1]], UNITS[own[1]])
    if all(isclose(a, b * factor, rel_tol=SAME, abs_tol=0) for a, b in zip(own[0], given[0], strict=False)):
        return None
    return f"PixelSize is {given[0]} {given[1]}, and the image itself says {own[0]} {own[1]}"


def calibration(image: Image, metadata: Mapping[str, Any], kind: Suffix) -> str | None:
    """The operation that gives an image the distances of pixels which the mapping has and it lacks, None for none."""
    if kind.datatype != MICR or kind.name == PHOTO or image.world is not None:
        return None
    known, given = pixel_size(image), given_size(metadata)
    found = known or given
    if found is None:
        return None
    sizes, symbol = found
    unknown = {} if known and _are_comparable(image) else dict(zip("xy", sizes, strict=False))
    if _depth(image) is None:
        thickness = _thickness(metadata, given, symbol) if "z" in image.axis_names or not _is_deep(image) else None
        unknown |= {"z": thickness} if thickness else {}
    elif unknown and len(sizes) == 3:
        unknown["z"] = sizes[2]
    told = [f"{axis}={number_spelled(size)}" for axis, size in unknown.items()]
    return ",".join(["calibrate", *told, *([f"unit={symbol}"] if symbol != "um" else [])]) if told else None


def _depth(image: Image) -> float | None:
    """The distance of planes, None where it is not known."""
    return next(
        (
            scale
            for axis, scale in zip(image.axes, image.levels[0].scale, strict=True)
            if axis.name == "z" and axis.unit in METRES
        ),
        None,
    )


def _is_deep(image: Image) -> bool:
    return image.size("z") > 1


def _are_comparable(image: Image) -> bool:
    """Whether the distances are told in units that BIDS has: the validator compares no others."""
    return all(axis.unit in SYMBOLS for axis in image.axes if axis.type == "space" and axis.unit in METRES)


def _thickness(metadata: Mapping[str, Any], given: tuple[list[float], str] | None, symbol: str) -> float | None:
    """Of a plane, in a unit; SliceThickness is in micrometres."""
    if given and len(given[0]) == 3:
        return given[0][2] * ratio(UNITS[given[1]], UNITS[symbol])
    found = metadata.get(THICKNESS)
    if not isinstance(found, int | float) or not isfinite(found) or found <= 0:
        return None
    return float(found) * ratio("micrometer", UNITS[symbol])


def sidecar(image: Image, metadata: Mapping[str, Any], kind: Suffix) -> dict[str, Any]:
    """The keys of the JSON file of an image as it is shown; what it knows itself comes before the mapping."""
    if kind.datatype != MICR or kind.name == PHOTO:
        return dict(metadata)
    own = pixel_size(image)
    found: dict[str, Any] = {PIXEL_SIZE: own[0], PIXEL_SIZE_UNITS: own[1]} if own else {}
    if image.metadata.magnification is not None and isfinite(image.metadata.magnification):
        found["Magnification"] = image.metadata.magnification
    known = {"Manufacturer": image.metadata.format.partition(" ")[0]}
    told = {key: value for key, value in known.items() if value in MAKERS}
    return {**found, **told, **{key: value for key, value in metadata.items() if key not in found}}


def trouble(document: Mapping[str, Any], kind: Suffix, *, derivative: bool = False) -> list[str]:
    """What a sidecar lacks, and what in it no validator takes."""
    found = [
        f"{key} is {document[key]!r}, which is none of: {', '.join(choices)}"
        for key, choices in CHOICES.items()
        if key in document and document[key] not in choices
    ]
    if kind.datatype == MICR and kind.name != PHOTO:
        found += [f"{key} is missing" for key in (PIXEL_SIZE, PIXEL_SIZE_UNITS) if key not in document]
        if "ChunkTransformationMatrix" in document and "ChunkTransformationMatrixAxis" not in document:
            found.append("ChunkTransformationMatrixAxis is missing beside ChunkTransformationMatrix")
    elif derivative and "SkullStripped" not in document:
        found.append("SkullStripped is missing: derivatives of MRI say whether the brain is without its skull")
    return found
