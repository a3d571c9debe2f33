"""Sums of neighbours along axes, weighted by a Gaussian, that are the same in every tile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import TooLarge, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints
from diascope.operations.extent import extent
from diascope.operations.places import place, spacing
from diascope.operations.values import number_spelled

LARGEST = 100.0
"""In pixels of level 0: what a tile reads around itself stays bounded."""

MOST = 1 << 24
"""In the box about a pixel, at level 0: what is read of a volume for one pixel."""

REACH = 4
"""The kernel ends at so many times sigma."""

NOTHING = 0.1
"""In pixels: the nearest neighbour of so narrow a kernel weighs 2e-22, which no pixel shows."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The kernels of a level by axis."""

    kernels: Mapping[int, Pixels]
    rank: int

    @property
    def halo(self) -> Ints:
        """How many neighbours on each side it takes, and leaves out."""
        return tuple(len(self.kernels[at]) - 1 if at in self.kernels else 0 for at in range(self.rank))

    def __call__(self, values: Pixels) -> Pixels:
        for at, kernel in self.kernels.items():
            values = convolved(values, kernel, at)
        return values


def lengths(image: Image, axes: str, told: tuple[str, float], unit: str | None) -> dict[int, float]:
    """A parameter's length along axes, by their places, in their own units.

    Raises TooLarge where it is too long, or where too much lies about a pixel.
    """
    found = {place(image, axis): extent(image, axis, told, unit, LARGEST) for axis in axes}
    finest = image.levels[0]
    around = prod(2 * ceil(REACH * length / spacing(image, finest, at)) + 1 for at, length in found.items())
    if around > MOST:
        raise TooLarge(
            f"within {REACH} times {told[0]}={number_spelled(told[1])} lie {around} pixels of a volume; "
            f"the limit is {MOST}"
        )
    return found


def smoothing(image: Image, level: Level, sigmas: Mapping[int, float]) -> Smoothing:
    """Of a level by lengths; what is too narrow to be seen there is left out."""
    working = working_type(level.dtype)
    kernels = {}
    for at, length in sigmas.items():
        sigma = length / spacing(image, level, at)
        if sigma >= NOTHING and level.shape[at] > 1:
            kernels[at] = half_kernel(sigma).astype(working.char.lower() if working.kind == "c" else working)
    return Smoothing(kernels, len(level.shape))


def refuse_unsmoothed(image: Image) -> None:
    """Raise Unsupported where nothing lies between two pixels."""
    if image.kind == "labels":
        raise Unsupported("labels are names, and no label lies between two others: they cannot be smoothed")
    if image.dtype.kind == "b" or (image.dtype.kind in "iu" and image.dtype.itemsize > 4):
        raise Unsupported(f"pixels of {image.dtype} have no smoothed values of their own type")


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

    Made of sums and products in a fixed order: each is rounded by itself, so that a pixel is the same in every tile. A
    filter that fuses them in some lanes and not in others, as vectorised libraries may, promises no such thing.
    """
    return _weighted(values, half, at, 1.0)


def half_slope(sigma: float) -> NDArray[np.float64]:
    """The weights at distances 0, 1, 2 … of the derivative of a Gaussian, as exact on a slope as they go.

    The narrower it is, the more it is half the difference of the two neighbours.
    """
    distances = np.arange(max(ceil(REACH * sigma), 1) + 1)
    weights = np.exp(-0.5 * (distances**2 - 1) / sigma**2) if sigma >= NOTHING else (distances == 1).astype(np.float64)
    weights[0] = 0
    return np.asarray(distances * weights / (2 * (distances**2 * weights).sum()))


def derived(values: Pixels, half: Pixels, at: int) -> Pixels:
    """As ``convolved``, with weights that are negative on the one side."""
    return _weighted(values, half, at, -1.0)


def _weighted(values: Pixels, half: Pixels, at: int, sign: float) -> Pixels:
    from diascope.operations.convolving import across_rows, along_rows

    shape = list(values.shape)
    shape[at] -= 2 * (len(half) - 1)
    source, out = np.ascontiguousarray(values), np.empty(shape, values.dtype)
    before, behind = prod(shape[:at]), prod(shape[at + 1 :])
    if behind == 1:
        along_rows(source.reshape(before, -1), half, sign, out.reshape(before, -1))
    else:
        across_rows(source.reshape(before, -1, behind), half, sign, out.reshape(before, -1, behind))
    return out


def shifted(values: Pixels, reach: int, by: int, at: int) -> Pixels:
    """The neighbours at a distance along an axis of all values but as many at each end as it reaches."""
    part = slice(reach + by, values.shape[at] - reach + by)
    return values[(*(slice(None) for _ in range(at)), part)]


def inner(values: Pixels, by: Ints) -> Pixels:
    """All but so many at both ends along each axis."""
    return values[tuple(slice(n, size - n) for n, size in zip(by, values.shape, strict=True))]
