"""The finest level's pixels as one run of planes, of which any range of bytes is made alone."""

from __future__ import annotations

from collections.abc import Container
from math import prod
from typing import Any

import numpy as np

from diascope.image.image import Image
from diascope.image.order import moved
from diascope.image.region import Region
from diascope.tree.runs import Run

LONG_ROW = 1 << 20
"""Of rows with more bytes than this no more is read than is asked for."""

LARGEST_PIXELS = 2**62
"""In bytes, within what signed offsets reach."""


def unfit(image: Image, dtype: np.dtype[Any], types: Container[str], title: str) -> str | None:
    """Why a file of this format cannot hold the image, stored as this type; None where it can."""
    if dtype.name not in types:
        return f"{title} has no pixels of the type {image.dtype.name}: take the OME-Zarr of this image"
    if prod(image.shape) * dtype.itemsize > LARGEST_PIXELS:
        return f"an image of the shape {image.shape} is too large for {title}: take its OME-Zarr, or crop it"
    return None


def pixel_run(image: Image, dtype: np.dtype[Any], outer: str, *, interleaved: bool) -> Run:
    """Planes in C order of the outer axes, x fastest in each, or the colours of a pixel where they are interleaved.

    No more rows are read than a range touches, and no more columns where it touches one row.
    """
    level = image.levels[0]
    samples = image.size("c") if interleaved else 1
    numbered = [name for name in outer if name in image.axis_names]
    height, width = level.shape[-2:]
    pixel = samples * dtype.itemsize
    row = width * pixel

    def read(plane: int, start: int, stop: int) -> bytes:
        if row > LONG_ROW and start // row < (stop - 1) // row and (start % row or stop % row):
            cut = start - start % row + row if start % row else stop - stop % row
            return read(plane, start, cut) + read(plane, cut, stop)
        first, last = start // pixel, -(-stop // pixel)
        top, bottom = first // width, -(-last // width)
        left, right = (first - top * width, last - top * width) if bottom - top == 1 else (0, width)
        box = {"c": (0, samples), **_indices(plane, numbered, image), "y": (top, bottom), "x": (left, right)}
        starts, stops = zip(*(box[name] for name in image.axis_names), strict=True)
        pixels = moved(level.read(Region(starts, stops)), image.axis_names, "yxc" if interleaved else "yx")
        skipped = start - (top * width + left) * pixel
        return pixels.astype(dtype, copy=False).tobytes()[skipped : skipped + stop - start]

    return Run(prod(image.size(name) for name in numbered), height * row, read)


def _indices(plane: int, numbered: list[str], image: Image) -> dict[str, tuple[int, int]]:
    """Start and stop of a plane along the axes that number the planes, the last of which is the fastest."""
    box = {}
    for name in reversed(numbered):
        plane, index = divmod(plane, image.size(name))
        box[name] = (index, index + 1)
    return box
