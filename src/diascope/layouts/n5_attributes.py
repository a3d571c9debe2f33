"""The attributes of N5 groups and datasets; every list in them is x first.

https://github.com/saalfeldlab/n5#file-system-specification for a dataset's own. Those of pyramids:
``downsamplingFactors`` and ``pixelResolution`` are n5-viewer's (https://github.com/saalfeldlab/n5-viewer),
``axes``, ``resolution`` and ``units`` Neuroglancer's and TensorStore's
(https://github.com/google/neuroglancer/blob/master/src/datasource/n5/index.rst).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.units import METRES, SECONDS, ratio
from diascope.layouts.n5_block import Blocks

VERSION = "2.5.1"
"""Of N5, the last one before attributes may be references."""

TYPES = frozenset({
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64",
})  # fmt: skip
STORED_AS = {"bool": "uint8", "float16": "float32"}

LENGTH, TIME = ("um", "micrometer"), ("s", "second")
"""In what lengths and times are said, which readers know by these symbols: n5-viewer has one unit for all axes."""

NEAR = 0.01
"""How far from a whole number a factor may be and yet be called whole: slide scanners round sizes down."""


def stored_type(image: Image) -> np.dtype[Any]:
    return np.dtype(STORED_AS.get(image.dtype.name, image.dtype.name))


def group(image: Image) -> dict[str, Any]:
    """Of the folder that has the levels."""
    every = [factors(image, level) for level in range(len(image.levels))]
    return {"n5": VERSION, "name": image.name, "downsamplingFactors": every, **_place(image)}


def dataset(image: Image, level: int, blocks: Blocks) -> dict[str, Any]:
    """Of a level.

    The distance of pixels is that of the finest ones, as n5-viewer and Neuroglancer multiply it with the factors;
    TensorStore does not, and is told of it where all factors are one.
    """
    place = _place(image)
    if level:
        place.pop("units")
        place.pop("resolution")
    return {
        "dimensions": list(image.levels[level].shape[::-1]),
        "blockSize": list(blocks.chunk_shape[::-1]),
        "dataType": stored_type(image).name,
        "compression": blocks.compression,
        "downsamplingFactors": factors(image, level),
        **place,
    }


def factors(image: Image, level: int) -> list[float]:
    """By how much a level is coarser than the finest along each axis."""
    pairs = zip(image.levels[level].scale, image.levels[0].scale, strict=True)
    return [_number(coarse / fine) for coarse, fine in pairs][::-1]


def _number(factor: float) -> float:
    near = round(factor)
    return near if near and abs(factor / near - 1) < NEAR else factor


def _place(image: Image) -> dict[str, Any]:
    """The axes, and how far apart the pixels of the finest level are along each."""
    spacings = [_spacing(axis, scale) for axis, scale in zip(image.axes, image.levels[0].scale, strict=True)][::-1]
    units = [unit for unit, _ in spacings]
    place: dict[str, Any] = {
        "axes": list(image.axis_names[::-1]),
        "units": units,
        "resolution": [size for _, size in spacings],
    }
    if set(units) == {LENGTH[0]}:
        place["pixelResolution"] = {"unit": LENGTH[0], "dimensions": place["resolution"]}
    return place


def _spacing(axis: Axis, scale: float) -> tuple[str, float]:
    """The symbol of a unit, nothing where it is not known, and how many of it there are from pixel to pixel."""
    for table, (symbol, name) in ((METRES, LENGTH), (SECONDS, TIME)):
        if axis.unit in table:
            return symbol, abs(scale) * ratio(axis.unit, name)
    return "", abs(scale)
