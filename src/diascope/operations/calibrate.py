"""The distances of pixels where a file does not know them, or knows them wrongly; no pixel is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from diascope.errors import BadRequest, Unsupported
from diascope.image.axes import ORDER, Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.mapping import mapping
from diascope.image.region import Region
from diascope.image.units import METRES, named
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.places import spacing
from diascope.operations.values import OptionalUnit

SPACE = "xyz"


class Calibrate(Parameters):
    x: float | None = Field(None, gt=0, description="The distance of pixels along x at level 0; by default as it is.")
    y: float | None = Field(None, gt=0, description="The same along y.")
    z: float | None = Field(
        None, gt=0, description="The same along z; an image without that axis becomes a stack of one plane so thick."
    )
    unit: OptionalUnit = Field(None, description="Of them all; by default um.")

    @model_validator(mode="after")
    def something(self) -> Calibrate:
        if self.x is None and self.y is None and self.z is None:
            raise ValueError("give the distance of pixels along x, y or z")
        if self.unit is not None and named(self.unit) not in METRES:
            raise ValueError(f"{self.unit!r} is no unit of length")
        return self


def calibrate(image: Image, parameters: Calibrate) -> Image:
    """The same pixels, so far apart; coarser levels in proportion."""
    if image.world is not None:
        raise Unsupported("the image has its place in the world, which tells the distances of its pixels")
    given = {name: getattr(parameters, name) for name in SPACE}
    sizes = {name: float(size) for name, size in given.items() if size is not None}
    deep = _with_plane(image) if "z" in sizes and "z" not in image.axis_names else image
    return _sized(deep, sizes, named(parameters.unit or "um") or "")


def _sized(image: Image, sizes: Mapping[str, float], unit: str) -> Image:
    factors = [
        sizes[axis.name] / spacing(image, image.levels[0], at) if axis.name in sizes else 1.0
        for at, axis in enumerate(image.axes)
    ]
    if any(not 0 < factor < float("inf") for factor in factors):
        raise BadRequest("pixels cannot lie so far apart, or so close")

    def level(each: Level) -> Level:
        # The coarsening times the size, since the size asked for must come out exactly at level 0.
        coarser = (s / f for s, f in zip(each.scale, finest, strict=True))
        scale = (sizes.get(axis.name, f) * c for axis, f, c in zip(image.axes, finest, coarser, strict=True))
        moved = (t * f for t, f in zip(each.translation, factors, strict=True))
        return replace(each, scale=tuple(scale), translation=tuple(moved))

    finest = image.levels[0].scale
    axes = tuple(Axis(axis.name, unit) if axis.name in sizes else axis for axis in image.axes)
    by = {axis.name: 1 / factor for axis, factor in zip(image.axes, factors, strict=True)}
    back = mapping(np.diag([*(by.get(name, 1.0) for name in "xyz"), 1.0]))
    return mapped(image, level, axes=axes, stored=back.then(image.stored))


def _with_plane(image: Image) -> Image:
    at = sum(ORDER.index(axis.name) < ORDER.index("z") for axis in image.axes)

    def level(each: Level) -> Level:
        def read_pixels(region: Region) -> Pixels:
            if 0 in region.shape:
                return np.empty(region.shape, each.dtype)
            return np.expand_dims(each.read(Region(_without(region.start, at), _without(region.stop, at))), at)

        return replace(
            each,
            shape=_put(each.shape, at, 1),
            chunk_shape=_put(each.chunk_shape, at, 1),
            scale=_put(each.scale, at, 1.0),
            translation=_put(each.translation, at, 0.0),
            read_pixels=read_pixels,
        )

    return mapped(image, level, axes=_put(image.axes, at, Axis("z")))


def _put(values: tuple[Any, ...], at: int, value: Any) -> tuple[Any, ...]:
    return (*values[:at], value, *values[at:])


def _without(values: tuple[int, ...], at: int) -> tuple[int, ...]:
    return (*values[:at], *values[at + 1 :])


operation = Operation(
    name="calibrate",
    title="The distances of pixels, where the file lacks them",
    parameters=Calibrate,
    apply=calibrate,
    examples=("calibrate,x=0.5,y=0.5", "calibrate,x=4,y=4,z=30,unit=nm", "calibrate,z=5"),
)
