"""Physical lengths along the spatial axes of an image, as vectors and matrices in the order x, y, z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.errors import BadRequest
from diascope.image.image import Image
from diascope.image.space import spatial
from diascope.operations.places import factor

Vector: TypeAlias = NDArray[np.float64]

LARGEST = 1e15
"""Of the numbers of a matrix or a vector, and of a length."""

SMALLEST = 1e-15
"""Of a length."""


def unit_of(image: Image, unit: str | None) -> str | None:
    """The unit that lengths are meant in: that which is given, else um; none where no axis has one.

    Raises BadRequest where only some of the spatial axes have one.
    """
    known = [axis.unit is not None for axis in image.axes if axis.type == "space"]
    if unit is None and not any(known):
        return None
    if not all(known):
        raise BadRequest("not every spatial axis has a known unit, so that lengths mean nothing")
    return unit or "um"


def in_axes(image: Image, unit: str | None) -> Vector:
    """How many of the units of x, y and z make one of this unit; 1 along an axis that is missing or has none."""
    by = {axis.name: factor(axis, unit) if unit else 1.0 for axis in image.axes if axis.type == "space"}
    return np.array([by.get(name, 1.0) for name in "xyz"])


def vector(image: Image, name: str, numbers: Sequence[float], missing: float) -> Vector:
    """Numbers per spatial axis, in the order x+y+z; raises BadRequest where there is not one for each."""
    axes = spatial(image)
    if len(numbers) != len(axes):
        raise BadRequest(f"{name} has {len(numbers)} numbers for the axes {'+'.join(axes)}")
    if any(abs(number) > LARGEST for number in numbers):
        raise BadRequest(f"the numbers of {name} are at most {LARGEST:g}")
    return np.array([*numbers, *[missing] * (3 - len(axes))], np.float64)
