"""All the pixels along an axis as one: the largest, the smallest, their mean, sum, deviation or median, or sharpest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import prod
from typing import Literal

from pydantic import Field, model_validator

from diascope.errors import TooLarge, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.operations.columns import Columns
from diascope.operations.focus import Focus
from diascope.operations.folds import FOLDS, result_type, total
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import measures, place, span, span_in
from diascope.operations.planes import without
from diascope.operations.smoothing import lengths, refuse_unsmoothed, smoothing
from diascope.operations.turning import exchanged
from diascope.operations.values import OptionalRange, OptionalUnit, Range, number_spelled

CUTS = {"y": "yzx", "x": "xzy"}
"""The spatial axes that become z, y and x where planes along another axis than z are projected."""

MOST = 1 << 36
"""So many stored pixels, some minutes' worth, may stand behind one chunk of the result."""

MOST_PLANES = 4096
"""Of a median, which holds them all."""

RADIUS = 2.0
"""The default, in pixels of level 0."""


class Project(Parameters):
    axis: Literal["t", "c", "z", "y", "x"] = Field(
        "z",
        description=(
            "The axis, which the result lacks. Of a volume without y or x the rows are the planes: along y it is seen "
            "from the front, as `permute,axes=yzx` cuts it, along x from the side, as `permute,axes=xzy` does."
        ),
    )
    method: Literal["max", "min", "mean", "sum", "std", "median", "edf"] = Field(
        "max",
        description=(
            "`max` and `min` keep the type and pass over NaN. `mean`, `median` and `std`, the standard deviation of "
            "all there are, give float32, or float64 of integers of more than 16 bits and of float64; of rgb `mean` "
            "and `median` keep the type, rounded, halves upwards. `sum` gives uint64, int64 or float64. `edf`, "
            "extended depth of field, keeps the type: the mean weighted by how sharp each plane is around the pixel. "
            f"A median is of at most {MOST_PLANES} planes, which it has to hold together."
        ),
    )
    range: OptionalRange = Field(None, description="The part of the axis to look at; by default all of it.")
    unit: OptionalUnit = Field(
        None,
        description=(
            "The range is indices of level 0 without a unit, positions of pixel centres with one. Also of the radius."
        ),
    )
    radius: float | None = Field(
        None,
        gt=0,
        description=(
            "Of `edf`: the standard deviation of the Gaussian by which sharpness is smoothed, a length, by default in "
            f"um and {number_spelled(RADIUS)} pixels of level 0 long. A tile needs 4 times as much around itself, and "
            "a pixel; beyond the image's edge its last pixel is repeated."
        ),
    )

    @model_validator(mode="after")
    def of_sharpness(self) -> Project:
        if self.radius is not None and self.method != "edf":
            raise ValueError("a radius goes with method=edf")
        return self


def project(image: Image, parameters: Project) -> Image:
    """The image without an axis, in memory that does not grow with the axis' length.

    A coarser level is the projection of its own pixels, which are means of finer ones: its largest pixel may be less,
    and its deviation is. A sum there, whose planes may be fewer, is that of as many as level 0 has, so that it looks
    the same. For each region every stored chunk in its columns is read once; `median` and `edf`, which make large
    regions in parts, may read one again, and `edf` reads those around it. No more than 2^36 stored pixels may stand
    behind a chunk of the result.
    """
    axis, method = parameters.axis, parameters.method
    _refuse(image, axis, method)
    start, stop = span(image, axis, parameters.range or Range(None, None), parameters.unit)
    if method == "median" and stop - start > MOST_PLANES:
        raise TooLarge(f"a median of {stop - start} planes holds them all; the limit is {MOST_PLANES}: give a range")
    if axis in CUTS:
        image = exchanged(image, CUTS[axis])
        axis = "z"
    at, finest = place(image, axis), image.levels[0]
    columns = Columns(
        level=finest,
        at=at,
        start=start,
        stop=stop,
        fold=FOLDS.get(method, partial(total, count=stop - start)),
        dtype=result_type(image, method),
        together=method == "median",
    )
    sharpness = _sharpness(image, at, parameters) if method == "edf" else None

    def projected(level: Level) -> Level:
        first, last = span_in(level, finest, at, start, stop)
        own = replace(columns, level=level, start=first, stop=last)
        return own.made if sharpness is None else _sharpened(own, sharpness(level)).made

    result = without(image, axis, tuple(map(projected, image.levels)))
    _refuse_endless(result.levels[0])
    return _measured(result, method, stop - start)


def _sharpened(columns: Columns, focus: Focus) -> Columns:
    return replace(columns, fold=focus, halo=focus.halo, whole=focus.colours_at)


def _refuse(image: Image, axis: str, method: str) -> None:
    if axis in CUTS and "z" not in image.axis_names:
        raise Unsupported(f"without {axis} a plane is a line, and an image has rows and columns: it takes a volume")
    if image.kind == "labels" and method not in {"max", "min"}:
        raise Unsupported(f"the {method} of labels is the label of something else; max and min keep labels")
    if image.kind == "rgb" and (axis == "c" or method in {"sum", "std"}):
        raise Unsupported(
            "of an rgb image the colours cannot be projected, and the sum or deviation of colours is no colour; "
            "take max, min, mean, median or edf"
        )
    if image.dtype.kind == "c" and method not in {"mean", "sum"}:
        raise Unsupported("complex numbers have no order; take mean or sum")
    if method == "edf":
        if axis == "c":
            raise Unsupported("channels show different things: none of them is the sharpest; take another axis")
        refuse_unsmoothed(image)


def _refuse_endless(level: Level) -> None:
    pixels = prod(level.chunk_shape) * level.cost
    if pixels > MOST:
        raise TooLarge(
            f"a chunk of the projection would be made of {pixels:.2g} stored pixels; the limit is {MOST:.2g}: give a "
            "range, or crop the image"
        )


def _sharpness(image: Image, at: int, parameters: Project) -> Callable[[Level], Focus]:
    """Of each level, whose smoothing spans the same lengths."""
    finest = image.levels[0]
    axes = {name: image.axis_names.index(name) for name in "yx"}
    if parameters.radius is None:
        sigmas = {place: RADIUS * abs(finest.scale[place]) for place in axes.values()}
    else:
        unit = parameters.unit if measures(parameters.unit, image.axes[axes["y"]]) else None
        sigmas = lengths(image, "yx", ("radius", parameters.radius), unit)
    colours = image.axis_names.index("c") if image.kind == "rgb" else None

    def sharpness(level: Level) -> Focus:
        smooth = smoothing(image, level, sigmas)
        kernels = {place - (place > at): kernel for place, kernel in smooth.kernels.items()}
        return Focus(replace(smooth, kernels=kernels, rank=smooth.rank - 1), colours)

    return sharpness


def _measured(image: Image, method: str, count: int) -> Image:
    """The metadata of sums and deviations: windows of single planes do not fit them.

    Every plane brings its intercept into a sum, and none has one in a deviation.
    """
    if method not in {"sum", "std"}:
        return image
    rescale = image.metadata.rescale
    times = count if method == "sum" else 0
    metadata = replace(image.metadata, rescale=rescale and (rescale[0], rescale[1] * times))
    channels = tuple(replace(channel, window=None) for channel in image.channels)
    return replace(image, channels=channels, metadata=metadata)


operation = Operation(
    name="project",
    title="Maximum, mean, sum, deviation, median or extended depth of field along an axis",
    parameters=Project,
    apply=project,
    examples=(
        "project",
        "project,method=mean,range=1..3",
        "project,axis=t,method=sum",
        "project,axis=c,method=min",
        "project,axis=y,method=std",
        "project,axis=x,method=median",
        "project,method=edf",
        "project,method=edf,range=1..9,unit=um,radius=0.6",
    ),
)
