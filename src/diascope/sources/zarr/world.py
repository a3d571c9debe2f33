"""The affine map into the world that Diascope's own OME-Zarr carries, until RFC-5 gives it a place."""

from __future__ import annotations

from math import isfinite
from typing import Any

from diascope.image.affine import Affine
from diascope.sources.zarr.documents import Document, part

LAST = (0.0, 0.0, 0.0, 1.0)

LONGEST_NAME = 64


def world(attributes: Document) -> Affine | None:
    """None where there is no map, or what is there is none."""
    told = part(part(attributes, "diascope"), "world")
    rows, space = told.get("matrix"), told.get("space")
    if not isinstance(rows, list) or len(rows) != 4 or not isinstance(space, str) or len(space) > LONGEST_NAME:
        return None
    first, second, third, last = map(_row, rows)
    if first is None or second is None or third is None or last != LAST:
        return None
    return Affine((first, second, third, LAST), space)


def _row(numbers: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(numbers, list) or len(numbers) != 4 or any(type(each) not in (int, float) for each in numbers):
        return None
    try:
        a, b, c, d = map(float, numbers)
    except OverflowError:
        return None
    return (a, b, c, d) if all(map(isfinite, (a, b, c, d))) else None
