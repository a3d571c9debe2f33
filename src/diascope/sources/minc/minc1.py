"""Volumes of MINC 1."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import whole
from diascope.sources.minc.netcdf import LONGEST_HEADER, Contents, Variable, contents
from diascope.sources.minc.volume import Volume, checked, dimension
from diascope.sources.reading.packed.unpacked import part_inside, reader_inside
from diascope.sources.reading.plain.row_major import ReadBytes, RowMajor, plane_chunk_shape
from diascope.stores.store import Blob

SIGNED, UNSIGNED = "signed__", "unsigned"

MOST_SCALES = 1 << 22


def minc1(blob: Blob) -> Volume:
    """Raises Unreadable where the file cannot have the pixels that it tells of."""
    found = contents(part_inside(blob, LONGEST_HEADER))
    image = _variable(found, "image")
    stored = _stored(image)
    ends = (found.variables[name].stop for name in ("image", "image-min", "image-max") if name in found.variables)
    read = reader_inside(blob, max(ends))
    low, high = _valid_range(image, stored)
    flat = (1,) * (2 - len(image.shape)) + image.shape
    return checked(
        Volume(
            title="MINC 1",
            dimensions=tuple(dimension(name, _told(found, name)) for name in image.dimensions),
            shape=image.shape,
            stored=stored,
            chunk_shape=plane_chunk_shape(flat, 8)[-len(image.shape) :],
            read=RowMajor(read, image.start, image.shape, stored).box,
            valid_range=(low, high),
            minimum=_scale(found, "image-min", read, 0.0),
            maximum=_scale(found, "image-max", read, 1.0),
            extra=_extra(found),
        )
    )


def _variable(found: Contents, name: str) -> Variable:
    variable = found.variables.get(name)
    if variable is None or variable.dtype.kind not in "iuf":
        raise Unreadable(f"this file of netCDF has no numbers {name!r}, as MINC does")
    if 0 in variable.shape:
        raise Unreadable(f"{name!r} has records, which are not supported")
    return variable


def _stored(image: Variable) -> np.dtype[Any]:
    """The type of the pixels; bytes are unsigned where nothing is told, other integers signed."""
    default = UNSIGNED if image.dtype.itemsize == 1 else SIGNED
    is_unsigned = image.dtype.kind == "i" and image.attributes.get("signtype", default) == UNSIGNED
    return np.dtype(f">u{image.dtype.itemsize}") if is_unsigned else image.dtype


def _valid_range(image: Variable, stored: np.dtype[Any]) -> tuple[float, float]:
    if stored.kind == "f":
        return 0.0, 1.0
    told = image.attributes.get("valid_range")
    if isinstance(told, np.ndarray) and len(told) == 2:
        return float(min(told)), float(max(told))
    limits = np.iinfo(stored)
    ends = (image.attributes.get(name) for name in ("valid_min", "valid_max"))
    low, high = (
        float(end[0]) if isinstance(end, np.ndarray) and len(end) else float(limit)
        for end, limit in zip(ends, (limits.min, limits.max), strict=True)
    )
    return low, high


def _scale(found: Contents, name: str, read: ReadBytes, default: float) -> Pixels:
    """The lowest or highest real values of the slices."""
    if name not in found.variables:
        return np.array(default)
    variable = _variable(found, name)
    if prod(variable.shape) > MOST_SCALES:
        raise Unreadable(f"{name} has {prod(variable.shape)} values, more than {MOST_SCALES}")
    values = RowMajor(read, variable.start, (*variable.shape, 1), variable.dtype).box(whole((*variable.shape, 1)))
    return values[..., 0]


def _told(found: Contents, name: str) -> dict[str, object]:
    variable = found.variables.get(name)
    return dict(variable.attributes) if variable else {}


def _extra(found: Contents) -> dict[str, object]:
    words = {name: found.attributes[name] for name in ("history",) if name in found.attributes}
    modality = _told(found, "study").get("modality")
    told = {**words, **({"modality": str(modality).strip("_")} if modality else {})}
    return {name: word[:10_000] for name, word in told.items() if isinstance(word, str)}
