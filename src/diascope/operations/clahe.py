"""Contrast stretched in each part of an image by what is there (CLAHE)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.operations.cells import cells
from diascope.operations.contrast import limits_of
from diascope.operations.curve import fitted, whole_range
from diascope.operations.extent import extent
from diascope.operations.limits import LARGEST as MOST
from diascope.operations.limits import Limits
from diascope.operations.looks import look, refuse_unordered
from diascope.operations.opacity import colours_of
from diascope.operations.operation import Files, Operation, mapped, spread_by
from diascope.operations.places import place, spacing
from diascope.operations.values import OptionalUnit

LARGEST = 512.0
"""In pixels of level 0: a tile reads the cells that it lies in and those about them."""

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""

LOWEST, HIGHEST = 0.001, 0.999
"""The shares of pixels below and above the limits where none are given."""


class Clahe(Limits):
    low: float | None = Field(
        None,
        description=(
            "The lower limit of intensities, between which contrast is stretched and clipped. By default bytes have 0 "
            "and 255, and others what 0.1 and 99.9 % of the pixels of a coarse level do not exceed: an address is "
            "redirected to that with the numbers."
        ),
    )
    tile: float = Field(
        gt=0,
        description=(
            "The side of the cells of a grid from the image's first pixel on, a length and the same at every level, "
            "but at least 16 of a level's pixels, and at most 512 at level 0. The last cell along an axis reaches to "
            "the edge, and is half to one and a half as long."
        ),
    )
    unit: OptionalUnit = Field(
        None, description="Of the side; by default um, or pixels of level 0 along axes whose unit is not known."
    )
    clip: float = Field(
        3,
        ge=1,
        le=1000,
        description="How many times contrast is raised at most; what a histogram's bin holds above is spread over all.",
    )


@dataclass(frozen=True, slots=True)
class Equalizing:
    """What is done to planes of pixels of a type."""

    low: float
    high: float
    clip: float
    whole: bool
    """Whether values are whole numbers."""

    def __call__(self, pixels: Pixels, rows: Any, columns: Any, inside: Region) -> NDArray[np.float64]:
        """Of planes of whole cells, y and x being the last axes, the pixels of a region."""
        from diascope.operations.equalizing import BINS, equalized

        width = self.high - self.low + self.whole
        bins = int(min(width, BINS)) if self.whole else BINS
        # Loops are compiled for few types.
        short = pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2
        source = np.ascontiguousarray(pixels if short else pixels.astype(np.float64)).reshape(-1, *pixels.shape[-2:])
        curves, out = np.empty((2, len(columns) - 1, bins + 1)), np.empty((len(source), *inside.shape))
        limits = np.array([self.low, width, float(self.whole)])
        equalized(source, rows, columns, np.array(inside.start), limits, float(self.clip), curves, out)
        return out.reshape(*pixels.shape[:-2], *inside.shape)


def clahe(image: Image, parameters: Clahe) -> Image:
    """Each plane equalized by the histograms of the cells about each pixel, mixed by how near their centres lie.

    The type stays, integers are rounded, halves to even, and NaN stays NaN and counts for nothing. Of an rgb image the
    luma is equalized, and what it gains is added to each colour, clipped, so that hues stay; opacity is kept.
    S. M. Pizer et al., Adaptive histogram equalization and its variations (1987).
    """
    _refuse(image)
    told = ("tile", parameters.tile)
    lengths = [(place(image, name), extent(image, name, told, parameters.unit, LARGEST)) for name in "yx"]
    low, high = _limits(image, parameters)
    equalize = Equalizing(low, high, parameters.clip, whole=image.dtype.kind in "iu")
    at = place(image, "c") if image.kind == "rgb" else None

    def equalized(level: Level) -> Level:
        height, width = (length / spacing(image, level, k) for k, length in lengths)
        return colours_of(image, level, _equalized(level, (height, width), equalize, at))

    shown = image.channels if at is not None else [replace(each, window=(low, high)) for each in image.channels]
    return mapped(image, equalized, channels=tuple(shown))


def settled(image: Image, parameters: Clahe, _: Files) -> Clahe | None:
    """The parameters with the limits, where a look has to find them."""
    if parameters.low is not None:
        return None
    _refuse(image)
    if image.dtype.kind in "iu" and image.dtype.itemsize == 1:
        return None
    low, high = _limits(image, parameters)
    return parameters.model_copy(update={"low": low, "high": high})


def _refuse(image: Image) -> None:
    refuse_unordered(image)
    if image.dtype.kind == "b" or image.dtype.itemsize > (8 if image.dtype.kind == "f" else 4):
        raise Unsupported(f"pixels of {image.dtype} have no histograms here; cast makes another type of them")


def _limits(image: Image, parameters: Clahe) -> tuple[float, float]:
    if parameters.low is not None and parameters.high is not None:
        low, high = parameters.low, parameters.high
    elif image.dtype.kind in "iu" and image.dtype.itemsize == 1:
        low, high = whole_range(image.dtype)
    else:
        low, high = limits_of(look(image), LOWEST, HIGHEST)
    if max(abs(low), abs(high)) > MOST:
        raise BadRequest(f"its pixels lie between {low:g} and {high:g}: give limits of at most {MOST:g}")
    return (float(floor(low)), float(ceil(high))) if image.dtype.kind in "iu" else (low, high)


def _equalized(level: Level, sides: tuple[float, float], equalize: Equalizing, colours_at: int | None) -> Level:
    grid = [cells(size, side) for size, side in zip(level.shape[-2:], sides, strict=True)]
    # A pixel is made of the four cells about it, of which the last one may be half as long again.
    halo = tuple(min(ceil(1.5 * along.width), along.size) for along in grid)

    def read_pixels(region: Region) -> Pixels:
        if 0 in region.shape:
            return np.empty(region.shape, level.dtype)
        bounds = zip(grid, region.start[-2:], region.stop[-2:], strict=True)
        rows, columns = (along.around(start, stop) for along, start, stop in bounds)
        start, stop = [*region.start[:-2], rows[0], columns[0]], [*region.stop[:-2], rows[-1], columns[-1]]
        if colours_at is not None:
            start[colours_at], stop[colours_at] = 0, len(LUMA)
        pixels = level.read(Region(tuple(map(int, start)), tuple(map(int, stop))))
        equal = partial(equalize, rows=rows, columns=columns, inside=Region(region.start[-2:], region.stop[-2:]))
        if colours_at is None:
            return fitted(equal(pixels), level.dtype)
        luma, middle = _luma(pixels, colours_at), (..., *_within(region, start))
        gain = np.expand_dims(_whole(equal(luma), level.dtype) - luma[middle], colours_at)
        wanted = (*(slice(None) for _ in range(colours_at)), slice(region.start[colours_at], region.stop[colours_at]))
        return fitted(pixels[wanted][middle] + gain, level.dtype)

    spread = spread_by(level, (*(0 for _ in level.shape[2:]), *halo))
    return replace(level, read_pixels=read_pixels, spread=spread)


def _within(region: Region, origin: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns of a region in pixels that begin at an origin."""
    rows, columns = region.shifted(tuple(map(int, origin))).slices[-2:]
    return rows, columns


def _luma(pixels: Pixels, at: int) -> Pixels:
    """How bright colours are, in whole numbers where they are."""
    red, green, blue = (np.take(pixels, k, axis=at) * share for k, share in enumerate(LUMA))
    return _whole(red + green + blue, pixels.dtype)


def _whole(values: Pixels, dtype: np.dtype[Any]) -> Pixels:
    return np.asarray(np.rint(values)) if dtype.kind in "iu" else values


operation = Operation(
    name="clahe",
    title="Local contrast (CLAHE)",
    parameters=Clahe,
    apply=clahe,
    settled=settled,
    examples=("clahe,tile=9", "clahe,low=20,high=300,tile=12000,unit=nm,clip=2.5", "clahe,tile=500,unit=nm,clip=1"),
)
