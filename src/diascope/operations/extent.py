"""How far a filter reaches along an axis: a physical length, bounded in pixels."""

from __future__ import annotations

from diascope.errors import TooLarge
from diascope.image.image import Image
from diascope.operations.places import factor, place, spacing
from diascope.operations.values import number_spelled


def extent(image: Image, name: str, told: tuple[str, float], unit: str | None, largest: float) -> float:
    """A length along an axis, in its own unit; raises TooLarge where it is over so many pixels of level 0.

    ``told`` is the parameter and its value: of the unit, else of um, or pixels of level 0 where the axis has no unit.
    """
    at, (parameter, value) = place(image, name), told
    axis, distance = image.axes[at], spacing(image, image.levels[0], at)
    known = axis.unit is not None or unit is not None
    length = value * (factor(axis, unit or "um") if known else distance)
    if length > largest * distance:
        raise TooLarge(
            f"{parameter}={number_spelled(value)} is {length / distance:.4g} pixels along {name}; "
            f"the limit is {largest:g}"
        )
    return length
