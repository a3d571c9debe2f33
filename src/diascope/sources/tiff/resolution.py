"""Pixel sizes out of the resolution tags (TIFF 6.0, section 8: XResolution, YResolution, ResolutionUnit)."""

from __future__ import annotations

from typing import Any

MICROMETRES = {2: 25_400.0, 3: 10_000.0}
"""Of the units that ResolutionUnit names: inch and centimetre."""

FINEST_PRINT = 5.0
"""Micrometres: a coarser one, such as of 300 or 4800 dots per inch, is of a print or a scanner, not of an object."""


def resolution(keyframe: Any) -> dict[str, tuple[float, str]]:
    """The distance of pixels along y and x in micrometres, empty where the tags give none."""
    unit = MICROMETRES.get(int(keyframe.tags.valueof(296, 2) or 0))
    sizes = {"x": _inverse(keyframe.tags.valueof(282)), "y": _inverse(keyframe.tags.valueof(283))}
    if unit is None:
        return {}
    return {axis: (size * unit, "micrometer") for axis, size in sizes.items() if size}


def physical(keyframe: Any) -> dict[str, tuple[float, str]]:
    """The same where both are fine enough to be of a microscope."""
    sizes = resolution(keyframe)
    is_fine = len(sizes) == 2 and all(size < FINEST_PRINT for size, _ in sizes.values())
    return sizes if is_fine else {}


def inverse_resolution(keyframe: Any) -> dict[str, float]:
    """The distance of pixels along x and y in a unit that something else names."""
    sizes = {"x": _inverse(keyframe.tags.valueof(282)), "y": _inverse(keyframe.tags.valueof(283))}
    return {axis: size for axis, size in sizes.items() if size}


def _inverse(rational: Any) -> float | None:
    """One over a fraction, None where that is no positive number."""
    if not isinstance(rational, tuple) or len(rational) != 2:
        return None
    numerator, denominator = rational
    return denominator / numerator if numerator > 0 and denominator > 0 else None
