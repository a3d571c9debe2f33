"""A picture that is decoded whole, with samples of any type, as an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Ints
from diascope.sources.reading.pictures.decoded import Decode, check_size, decoded_level
from diascope.sources.reading.pictures.picture_header import told_by_exif

COLOURS = {3, 4}

PRIMARIES = (
    Channel(name="red", colour="ff0000"),
    Channel(name="green", colour="00ff00"),
    Channel(name="blue", colour="0000ff"),
    Channel(name="opacity"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedPicture:
    """The header of a picture."""

    format: str
    width: int
    height: int
    samples: int
    dtype: np.dtype[Any]
    decode: Decode
    frames: int = 1
    bits: int = 0
    """How many of an integer's are used; all of them, where nothing is told."""
    is_colour: bool = True
    """Whether three samples are red, green and blue, and a fourth opacity."""
    names: tuple[str, ...] = ()
    """Of the samples, where they are no colours."""
    exif: bytes = b""
    orientation: int = 1
    """As EXIF counts them; it is told, and not applied."""
    icc: bytes | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def picture_image(picture: CodedPicture, name: str) -> Image:
    """Raises Unreadable where the picture has no pixels or too many."""
    shape: Ints = (picture.height, picture.width)
    shape = (*shape, picture.samples) if picture.samples > 1 else shape
    check_size(shape)
    description, acquired, extra = told_by_exif(picture.exif)
    if picture.orientation != 1:
        extra["exif_orientation"] = picture.orientation
    in_colour = picture.is_colour and picture.samples in COLOURS
    is_light = in_colour and picture.dtype.kind == "f"  # amounts of light have no white, and are shown by windows
    return Image(
        name=name,
        kind="rgb" if in_colour and not is_light else "intensity",
        axes=axes_named(("t" if picture.frames > 1 else "") + ("c" if picture.samples > 1 else "") + "yx"),
        levels=(decoded_level(shape, picture.dtype, picture.decode, frames=picture.frames),),
        channels=PRIMARIES[: picture.samples] if is_light else _channels(picture),
        metadata=Metadata(
            format=picture.format,
            description=description,
            acquired=acquired,
            icc=picture.icc,
            extra={**picture.extra, **extra},
        ),
    )


def _channels(picture: CodedPicture) -> tuple[Channel, ...]:
    window = _window(picture)
    return tuple(Channel(name=each, window=window) for each in picture.names or ("",) * picture.samples)


def _window(picture: CodedPicture) -> tuple[float, float] | None:
    """From black to white, where a picture does not use all bits of its type."""
    is_partly = picture.dtype.kind == "u" and 0 < picture.bits < 8 * picture.dtype.itemsize
    return (0.0, float((1 << picture.bits) - 1)) if is_partly else None
