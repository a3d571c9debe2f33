"""Datasets and images out of what a worker tells of them, of which nothing is taken on trust."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, JsonValue, ValidationError

from diascope.errors import Unreadable
from diascope.image.affine import Affine, Matrix
from diascope.image.axes import Axis
from diascope.image.image import Image, Kind
from diascope.image.level import Level, ReadPixels
from diascope.image.metadata import LARGEST_PROFILE, Channel, Metadata
from diascope.isolation.channel import Message


def _safe(name: str) -> str:
    """A name that no tree of files can be led astray by."""
    if {"", ".", ".."} & set(name.split("/")) or "\0" in name:
        raise ValueError(f"{name!r} is no name")
    return name


Size = Annotated[int, Field(ge=0, lt=1 << 62)]
Sizes = Annotated[tuple[Size, ...], Field(min_length=2, max_length=5)]
Numbers = Annotated[tuple[float, ...], Field(min_length=2, max_length=5)]
Name = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_safe)]
Text = Annotated[str, Field(max_length=1 << 24)]

LEVELS = 64
CHANNELS = 1 << 16


class LevelTold(BaseModel):
    """A level."""

    shape: Sizes
    dtype: Annotated[str, Field(pattern=r"^[<>|=][biufc]\d{1,2}$")]
    chunk_shape: Sizes
    scale: Numbers
    translation: Numbers
    cost: Annotated[float, Field(ge=0)]
    spread: Annotated[float, Field(ge=0)]

    def rebuilt(self, read_pixels: ReadPixels) -> Level:
        ranks = {len(each) for each in (self.shape, self.chunk_shape, self.scale, self.translation)}
        if len(ranks) > 1 or not np.dtype(self.dtype).isnative:
            raise Unreadable(
                f"a level of {self.dtype} of the shape {self.shape} in chunks of {self.chunk_shape} cannot be"
            )
        return Level(**self.model_dump() | {"dtype": np.dtype(self.dtype)}, read_pixels=read_pixels)


class AxisTold(BaseModel):
    """An axis."""

    name: Literal["t", "c", "z", "y", "x"]
    unit: Annotated[str, Field(max_length=64)] | None


class ChannelTold(BaseModel):
    """A channel."""

    name: Text
    colour: Annotated[str, Field(pattern=r"^[0-9a-f]{6}$")] | None
    window: tuple[float, float] | None
    excitation: float | None
    emission: float | None


class AffineTold(BaseModel):
    """A map into a world."""

    matrix: Matrix
    space: Text


class MetadataTold(BaseModel):
    """What is known besides the pixels."""

    format: Text
    description: Text
    acquired: Text | None
    magnification: float | None
    objective: Text
    aperture: float | None
    instrument: Text
    position: dict[str, float]
    rescale: tuple[float, float] | None
    palette: tuple[str, ...]
    icc: str | None
    extra: dict[str, JsonValue]

    def rebuilt(self) -> Metadata:
        icc = None if self.icc is None else b64decode(self.icc, validate=True)
        if icc is not None and len(icc) > LARGEST_PROFILE:
            raise Unreadable("its colour profile is larger than such can be")
        return Metadata(**self.model_dump(exclude={"icc"}), icc=icc)


class ImageTold(BaseModel):
    """An image."""

    name: Name
    kind: Kind
    axes: Annotated[tuple[AxisTold, ...], Field(max_length=5)]
    levels: Annotated[tuple[LevelTold, ...], Field(min_length=1, max_length=LEVELS)]
    channels: Annotated[tuple[ChannelTold, ...], Field(max_length=CHANNELS)]
    world: AffineTold | None
    metadata: MetadataTold

    def rebuilt(self, reads: Callable[[int, LevelTold], ReadPixels]) -> Image:
        if {len(level.shape) for level in self.levels} != {len(self.axes)}:
            raise Unreadable(f"an image of {len(self.axes)} axes has a level of the shape {self.levels[-1].shape}")
        return Image(
            name=self.name,
            kind=self.kind,
            axes=tuple(Axis(axis.name, axis.unit) for axis in self.axes),
            levels=tuple(level.rebuilt(reads(k, level)) for k, level in enumerate(self.levels)),
            channels=tuple(Channel(**channel.model_dump()) for channel in self.channels),
            world=Affine(self.world.matrix, self.world.space) if self.world else None,
            metadata=self.metadata.rebuilt(),
        )


class DatasetTold(BaseModel):
    """A dataset; the names of a role are None where listing them may be work."""

    version: Text
    files: tuple[str, ...]
    images: list[Name] | None
    labels: list[Name] | None
    associated: list[Name] | None


class NamesTold(BaseModel):
    """The names of the images of a role."""

    names: list[Name]


def told(model: type[Any], message: Message) -> Any:
    """What a message tells, of a model's type; raises Unreadable where that cannot be."""
    try:
        return model.model_validate(message)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Unreadable(f"what its reader tells of it cannot be: {place}: {first['msg']}") from error


def rebuilt(message: Message, reads: Callable[[int, LevelTold], ReadPixels]) -> Image:
    """The image that a message tells of; raises Unreadable where it cannot be."""
    image: ImageTold = told(ImageTold, message)
    try:
        return image.rebuilt(reads)
    except ValueError as error:
        raise Unreadable(f"what its reader tells of it cannot be: {error}") from error
