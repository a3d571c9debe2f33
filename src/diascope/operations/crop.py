"""A box of an image, which stays where it is in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import Field, model_validator

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.region import Ints, Region
from diascope.image.resampling import carried
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import measures, place, span, span_in
from diascope.operations.values import OptionalRange, OptionalUnit, Range


class Crop(Parameters):
    x: OptionalRange = Field(None, description="Columns to keep.")
    y: OptionalRange = Field(None, description="Rows to keep.")
    z: OptionalRange = Field(None, description="Planes to keep.")
    t: OptionalRange = Field(None, description="Time points to keep.")
    c: OptionalRange = Field(None, description="Channels to keep, always by index.")
    unit: OptionalUnit = Field(
        None,
        description=(
            "Ranges are indices of level 0 without a unit. With a unit of length those of x, y and z, and with a unit "
            "of time that of t, are positions in the image's physical space (the one its levels' translations are "
            "given in), and the pixels whose centres lie in them are kept."
        ),
    )

    @property
    def ranges(self) -> Mapping[str, Range]:
        """Those that are given, by axis."""
        given = {"x": self.x, "y": self.y, "z": self.z, "t": self.t, "c": self.c}
        return {axis: wanted for axis, wanted in given.items() if wanted is not None}

    @model_validator(mode="after")
    def something(self) -> Crop:
        if not self.ranges:
            raise ValueError("give a range of at least one axis")
        return self


def crop(image: Image, parameters: Crop) -> Image:
    """The pixels of the box at level 0; coarser levels keep every pixel that touches it, at its true position.

    A coarser level that shrinks to a single pixel is left out.
    """
    spans = _spans(image, parameters)
    boxes = (_box(level, image, spans) for level in image.levels)
    finest, *coarser = (_cropped(level, image, box) for level, box in zip(image.levels, boxes, strict=True))
    levels = (finest, *(level for level in coarser if level.shape[-2:] != (1, 1)))
    channels = image.channels
    if "c" in spans and len(channels) == image.size("c"):
        channels = channels[slice(*spans["c"])]
    others = parameters.model_copy(update={"x": None, "y": None, "z": None})
    result = replace(image, levels=levels, channels=channels)
    return carried(result, image, lambda source: crop(source, others) if others.ranges else source)


def _spans(image: Image, parameters: Crop) -> dict[str, tuple[int, int]]:
    if "c" in parameters.ranges and image.kind == "rgb":
        raise Unsupported("the colours of an rgb image cannot be cropped; select,axis=c,index=0 takes the first")
    axes = {axis: image.axes[place(image, axis)] for axis in parameters.ranges}
    if parameters.unit and not any(measures(parameters.unit, axis) for axis in axes.values()):
        raise BadRequest(f"the unit {parameters.unit} measures none of the axes {', '.join(axes)}")
    return {
        name: span(image, name, wanted, parameters.unit if measures(parameters.unit, axes[name]) else None)
        for (name, wanted) in parameters.ranges.items()
    }


def _box(level: Level, image: Image, spans: Mapping[str, tuple[int, int]]) -> Region:
    finest = image.levels[0]
    ends = [
        span_in(level, finest, at, *spans[axis.name]) if axis.name in spans else (0, level.shape[at])
        for at, axis in enumerate(image.axes)
    ]
    return Region(tuple(start for start, _ in ends), tuple(stop for _, stop in ends))


def _cropped(level: Level, image: Image, box: Region) -> Level:
    translation = tuple(
        at if axis.type == "channel" else at + start * scale
        for at, start, scale, axis in zip(level.translation, box.start, level.scale, image.axes, strict=True)
    )
    back: Ints = tuple(-start for start in box.start)
    return replace(
        level,
        shape=box.shape,
        chunk_shape=tuple(map(min, level.chunk_shape, box.shape)),
        translation=translation,
        read_pixels=lambda region: level.read(region.shifted(back)),
    )


operation = Operation(
    name="crop",
    title="A box of the image",
    parameters=Crop,
    apply=crop,
    examples=("crop,x=5..40,y=7..", "crop,x=2.5..9,y=..20,z=1..5,unit=um", "crop,t=1..,c=..2"),
)
