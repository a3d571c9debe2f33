"""All the pixels along an axis as one: the largest, the smallest, their mean or their sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import place, span, span_in
from diascope.operations.planes import flat, raised, without
from diascope.operations.values import OptionalRange, OptionalUnit, Range

SLAB = 1 << 26
"""About how many bytes of stored pixels are held at a time, at least one plane."""


class Project(Parameters):
    axis: Literal["t", "c", "z"] = Field("z", description="The axis, which the result lacks.")
    method: Literal["max", "min", "mean", "sum"] = Field(
        "max",
        description=(
            "`max` and `min` keep the type and pass over NaN. `mean` is float32, or float64 of integers of more than "
            "16 bits and of float64; of rgb it keeps the type, rounded, halves upwards. `sum` is uint64, int64 or "
            "float64."
        ),
    )
    range: OptionalRange = Field(None, description="The part of the axis to look at; by default all of it.")
    unit: OptionalUnit = Field(
        None, description="The range is indices of level 0 without a unit, positions of pixel centres with one."
    )


def project(image: Image, parameters: Project) -> Image:
    """The image without an axis; memory does not grow with the axis' length.

    A sum at a coarser level, whose planes are fewer, is that of as many as level 0 has, so that it looks the same.
    """
    axis, method = parameters.axis, parameters.method
    _refuse(image, axis, method)
    at, finest = place(image, axis), image.levels[0]
    start, stop = span(image, axis, parameters.range or Range(None, None), parameters.unit)

    def projected(level: Level) -> Level:
        first, last = span_in(level, finest, at, start, stop)
        fold = Fold(method, result_type(image, method), stop - start)
        made = flat(level, at, lambda region: fold(slabs(level, region, at, first, last)))
        return replace(made, dtype=fold.dtype, cost=level.cost * (last - first))

    result = without(image, axis, tuple(map(projected, image.levels)))
    return _summed_up(result, stop - start) if method == "sum" else result


def _refuse(image: Image, axis: str, method: str) -> None:
    if image.kind == "labels" and method in {"mean", "sum"}:
        raise Unsupported(f"the {method} of labels is the label of something else; max and min keep labels")
    if image.kind == "rgb" and (axis == "c" or method == "sum"):
        raise Unsupported("of an rgb image the colours cannot be projected, nor other axes be summed; take max or mean")
    if image.dtype.kind == "c" and method in {"max", "min"}:
        raise Unsupported("complex numbers have no order; take mean or sum")


def result_type(image: Image, method: str) -> np.dtype[Any]:
    """The type that a method gives."""
    dtype = image.dtype
    if method in {"max", "min"} or (method == "mean" and (image.kind == "rgb" or dtype.kind == "c")):
        return dtype
    if method == "sum":
        return np.dtype({"b": np.uint64, "u": np.uint64, "i": np.int64, "c": np.complex128}.get(dtype.kind, np.float64))
    short = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if short else np.float64)


def slabs(level: Level, region: Region, at: int, start: int, stop: int) -> Iterator[Pixels]:
    """The planes along an axis from start to stop, read about a chunk at a time."""
    plane = max(int(np.prod(region.shape, dtype=np.int64)) * level.dtype.itemsize, 1)
    depth = max(min(level.chunk_shape[at], SLAB // plane), 1)
    while start < stop:
        end = min((start // depth + 1) * depth, stop)
        yield from np.moveaxis(level.read(raised(region, at, start, end)), at, 0)
        start = end


@dataclass(frozen=True, slots=True)
class Fold:
    """Planes one after another to one plane, in an order that does not depend on where in it a pixel stands."""

    method: str
    dtype: np.dtype[Any]
    """Of the result."""
    count: int
    """How many planes of level 0 there are."""

    def __call__(self, planes: Iterator[Pixels]) -> Pixels:
        if self.method in {"max", "min"}:
            return self._extreme(planes)
        first = next(planes)
        total = first.astype(self._wide(first.dtype))
        seen = 1
        for plane in planes:
            total += plane
            seen += 1
        return self._mean(total, seen) if self.method == "mean" else self._as_of_all(total, seen)

    def _extreme(self, planes: Iterator[Pixels]) -> Pixels:
        pick = np.fmax if self.method == "max" else np.fmin
        best = next(planes).copy()
        for plane in planes:
            pick(best, plane, out=best)
        return best

    @staticmethod
    def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype({"b": np.uint64, "u": np.uint64, "i": np.int64, "c": np.complex128}.get(dtype.kind, np.float64))

    def _mean(self, total: Pixels, seen: int) -> Pixels:
        if self.dtype.kind in "ui":
            return ((2 * total + seen) // (2 * seen)).astype(self.dtype)
        return (total / seen).astype(self.dtype)

    def _as_of_all(self, total: Pixels, seen: int) -> Pixels:
        if seen == self.count:
            return total
        if total.dtype.kind in "ui":
            return (2 * total * self.count + seen) // (2 * seen)
        return total * (self.count / seen)


def _summed_up(image: Image, count: int) -> Image:
    """The metadata of sums: windows of single planes no longer fit, and every plane brings its intercept."""
    rescale = image.metadata.rescale
    metadata = replace(image.metadata, rescale=rescale and (rescale[0], rescale[1] * count))
    channels = tuple(replace(channel, window=None) for channel in image.channels)
    return replace(image, channels=channels, metadata=metadata)


operation = Operation(
    name="project",
    title="Maximum, minimum, mean or sum along an axis",
    parameters=Project,
    apply=project,
    examples=("project", "project,method=mean,range=1..3", "project,axis=t,method=sum", "project,axis=c,method=min"),
)
