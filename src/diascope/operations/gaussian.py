"""Smoothing with a Gaussian whose width is a physical length."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from diascope.errors import TooLarge, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.operation import Operation, Parameters, mapped, with_halo
from diascope.operations.places import factor, place, spacing
from diascope.operations.values import OptionalUnit, number_spelled

LARGEST = 100.0
"""In pixels of level 0: what a tile reads around itself stays bounded."""

REACH = 4
"""The kernel ends at so many times sigma."""

NOTHING = 0.1
"""In pixels: the nearest neighbour of so narrow a kernel weighs 2e-22, which no pixel shows."""


class Gaussian(Parameters):
    sigma: float = Field(
        gt=0,
        description=(
            "The standard deviation, a length, and the same at every level. The kernel ends at 4 sigma; beyond the "
            "image's edge its last pixel is repeated."
        ),
    )
    unit: OptionalUnit = Field(
        None, description="Of sigma; by default um, or pixels of level 0 along axes whose unit is not known."
    )
    axes: Literal["yx", "zyx"] = Field("yx", description="In each plane, or through the planes too.")


def gaussian(image: Image, parameters: Gaussian) -> Image:
    """The smoothed image, of the same type: integers are rounded, halves to even."""
    _refuse(image)
    lengths = {place(image, axis): _length(image, axis, parameters) for axis in parameters.axes}
    return mapped(
        image, lambda level: _smoothed(level, {at: by / spacing(image, level, at) for at, by in lengths.items()})
    )


def _refuse(image: Image) -> None:
    if image.kind == "labels":
        raise Unsupported("labels are names, and no label lies between two others: they cannot be smoothed")
    if image.dtype.kind == "b" or (image.dtype.kind in "iu" and image.dtype.itemsize > 4):
        raise Unsupported(f"pixels of {image.dtype} have no smoothed values of their own type")


def _length(image: Image, name: str, parameters: Gaussian) -> float:
    """Sigma in an axis' own unit; raises TooLarge where it reaches over too many pixels."""
    at = place(image, name)
    axis, distance = image.axes[at], spacing(image, image.levels[0], at)
    known = axis.unit is not None or parameters.unit is not None
    length = parameters.sigma * (factor(axis, parameters.unit or "um") if known else distance)
    if length > LARGEST * distance:
        raise TooLarge(
            f"sigma={number_spelled(parameters.sigma)} is {length / distance:.4g} pixels along {name}; "
            f"the limit is {LARGEST:g}"
        )
    return length


def _smoothed(level: Level, sigmas: Mapping[int, float]) -> Level:
    """The level smoothed along axes by so many of its own pixels."""
    working = working_type(level.dtype)
    kernels = {
        at: half_kernel(sigma).astype(working.char.lower() if working.kind == "c" else working)
        for at, sigma in sigmas.items()
        if sigma >= NOTHING and level.shape[at] > 1
    }
    halo = tuple(len(kernels[at]) - 1 if at in kernels else 0 for at in range(len(level.shape)))

    def function(pixels: Pixels) -> Pixels:
        values = pixels.astype(working)
        with np.errstate(invalid="ignore", over="ignore"):
            for at, kernel in kernels.items():
                values = convolved(values, kernel, at)
        if level.dtype.kind in "iu":
            np.rint(values, out=values)
        return values.astype(level.dtype, copy=False)

    return with_halo(level, halo, function) if kernels else level


def working_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """In which sums are made: single precision holds integers of 16 bits, double those of 32."""
    if dtype.kind == "c":
        return dtype
    short = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if short else np.float64)


def half_kernel(sigma: float) -> NDArray[np.float64]:
    """The weights at distances 0, 1, 2 …; the whole kernel's sum is 1."""
    distances = np.arange(ceil(REACH * sigma) + 1)
    weights = np.exp(-0.5 * (distances / sigma) ** 2)
    return np.asarray(weights / (2 * weights.sum() - weights[0]))


def convolved(values: Pixels, half: Pixels, at: int) -> Pixels:
    """The values weighted along an axis, without as many at each end as the kernel reaches.

    Made of whole-array sums and products in a fixed order: each is rounded by itself, so that a pixel is the same in
    every tile. A filter that fuses them in some lanes and not in others, as vectorised libraries may, promises no such
    thing.
    """
    reach = len(half) - 1
    size = values.shape[at] - 2 * reach

    def from_(start: int) -> Pixels:
        return values[tuple(slice(start, start + size) if d == at else slice(None) for d in range(values.ndim))]

    total = from_(reach) * half[0]
    pair = np.empty_like(total)
    for distance in range(1, reach + 1):
        np.add(from_(reach - distance), from_(reach + distance), out=pair)
        pair *= half[distance]
        total += pair
    return np.asarray(total)


operation = Operation(
    name="gaussian",
    title="Gaussian smoothing",
    parameters=Gaussian,
    apply=gaussian,
    examples=("gaussian,sigma=0.6", "gaussian,sigma=1.5,unit=um,axes=zyx"),
)
