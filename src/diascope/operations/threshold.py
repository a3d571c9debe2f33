"""Pixels above a value told from the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.metadata import Channel
from diascope.operations.looks import look, refuse_unordered
from diascope.operations.operation import Files, Operation, Parameters, mapped
from diascope.operations.pointwise import is_short, pointwise
from diascope.operations.transfer import BYTE
from diascope.operations.values import number_spelled

BINS = 256
"""Of pixels that are no short integers, each of which has a bin of its own."""


class Threshold(Parameters):
    value: float | None = Field(None, description="Pixels above it are 1, all others and NaN 0.")
    method: Literal["otsu"] | None = Field(
        None,
        description=(
            "Instead of a value: Otsu's, which parts the pixels of a coarse level into two groups as alike within "
            "themselves as can be. An address is redirected to that with the value."
        ),
    )

    @model_validator(mode="after")
    def one_of_both(self) -> Threshold:
        if (self.value is None) == (self.method is None):
            raise ValueError("give either a value or a method")
        return self


@dataclass(frozen=True, slots=True)
class Above:
    """1 above a value, else 0."""

    value: float

    def __call__(self, pixels: Pixels) -> Pixels:
        return (pixels.astype(np.float64) > self.value).astype(np.uint8)


def threshold(image: Image, parameters: Threshold) -> Image:
    """Labels of uint8: 1 where a pixel lies above the value, else 0.

    A coarser level is that of its own pixels, so that what is small may be lost there, and edges may lie elsewhere by
    one of its pixels.
    """
    _refuse(image)
    value = parameters.value if parameters.value is not None else _otsu(image)
    above = Above(value)
    return mapped(
        image,
        lambda level: pointwise(level, BYTE, above),
        kind="labels",
        channels=tuple(Channel(name=channel.name) for channel in image.channels),
        metadata=replace(image.metadata, rescale=None, palette=()),
    )


def settled(image: Image, parameters: Threshold, _: Files) -> str | None:
    """The view with the value, where a method is to find it."""
    if parameters.method is None:
        return None
    _refuse(image)
    return f"threshold,value={number_spelled(_otsu(image))}"


def _refuse(image: Image) -> None:
    refuse_unordered(image)
    if image.kind == "rgb":
        raise Unsupported("colours lie on no one scale; select,axis=c,index=0 or calculate makes an intensity of them")


def _otsu(image: Image) -> float:
    blocks = [block.ravel() for block in look(image)]
    pixels = np.concatenate(blocks)
    pixels = pixels[np.isfinite(pixels)]
    if not pixels.size:
        raise BadRequest("no pixel that was looked at is a finite number: give a value")
    low, high = pixels.min(), pixels.max()
    if low == high:
        return float(low)
    if is_short(pixels.dtype):
        low, high = int(low), int(high)
        counts = np.bincount(pixels.astype(np.int64) - low, minlength=high - low + 1)
        return otsu(counts, np.arange(low, high + 1, dtype=np.float64))
    counts, edges = np.histogram(pixels.astype(np.float64), BINS)
    return otsu(counts, (edges[1:] + edges[:-1]) / 2)


def otsu(counts: NDArray[np.int64], centres: NDArray[np.float64]) -> float:
    """The value up to which the first of two groups reaches whose means differ most, weighed by their sizes.

    N. Otsu, A threshold selection method from gray-level histograms (1979).
    """
    below = np.cumsum(counts)[:-1].astype(np.float64)
    total, sums = float(counts.sum()), np.cumsum(counts * centres)
    above = total - below
    with np.errstate(all="ignore"):
        between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return float(centres[int(np.nan_to_num(between, nan=-1.0).argmax())])


operation = Operation(
    name="threshold",
    title="Pixels above a value",
    parameters=Threshold,
    apply=threshold,
    settled=settled,
    examples=("threshold,value=100", "threshold,value=-0.5", "threshold,method=otsu"),
)
