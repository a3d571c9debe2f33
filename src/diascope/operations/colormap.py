"""Intensities in the colours of a map: matplotlib's by name, or colours of one's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field, model_validator

from diascope.errors import BadRequest, Unsupported
from diascope.image.axes import ORDER, Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.operations.colour_table import OptionalMap, entries, gradient
from diascope.operations.composite import colour_level
from diascope.operations.lut import OptionalLut
from diascope.operations.operation import Files, Operation, Parameters, mapped
from diascope.operations.planes import taken
from diascope.operations.pointwise import coloured, pointwise
from diascope.operations.transfer import BYTE, Transfer
from diascope.operations.values import OptionalColours


class Colormap(Parameters):
    name: OptionalMap = Field(
        None,
        description=(
            "A map of matplotlib, or another one of the catalogue of cmap (such as ImageJ's `fire`, or `cet_r1`); "
            "with `_r` behind it, from its end to its start."
        ),
    )
    lut: OptionalLut = Field(
        None,
        description=(
            "Instead of a name: a look-up table of ImageJ, binary or text, by the name of its file, which lies in the "
            "folder of the image or one above it. An address is redirected to that with the version of the file."
        ),
    )
    colours: OptionalColours = Field(
        None, description="Instead of a name: 2 to 64 colours, evenly spread and mixed in between."
    )
    low: float | None = Field(
        None,
        description=(
            "The intensity that has the first colour; by default the limits of the channel, else bytes are indices as "
            "they are, and other integers of up to 16 bits are shown between the ends of their type."
        ),
    )
    high: float | None = Field(None, description="The intensity that has the last colour; below `low` it inverts.")

    @model_validator(mode="after")
    def one_map(self) -> Colormap:
        if sum(each is not None for each in (self.name, self.lut, self.colours)) != 1:
            raise ValueError("give either a name or a lut or colours")
        if self.colours is not None and len(self.colours) < 2:
            raise ValueError("a map has two colours or more")
        if (self.low is None) != (self.high is None) or (self.low is not None and self.low == self.high):
            raise ValueError("low and high go together, and differ")
        return self


@dataclass(frozen=True, slots=True)
class Painted:
    """The colours of bytes."""

    colours: bytes
    """Red, green and blue of each of the 256."""

    def __call__(self, pixels: Pixels) -> Pixels:
        return np.frombuffer(self.colours, np.uint8).reshape(256, 3)[pixels]


def colormap(image: Image, parameters: Colormap) -> Image:
    """The rgb picture of uint8: each intensity, scaled to one of 256 as by `window`, in its colour of the map."""
    image = _single(image)
    transfer = _transfer(image, parameters)
    painted = Painted(_colours(parameters))
    names = "".join(name for name in ORDER if name == "c" or name in image.axis_names)
    at = names.index("c")

    def shown(level: Level) -> Level:
        greys = pointwise(level, BYTE, transfer) if transfer else level
        return coloured(greys, colour_level(level, at, has_channels=False), at, painted)

    return mapped(
        image,
        shown,
        kind="rgb",
        axes=(*image.axes[:at], Axis("c"), *image.axes[at:]),
        channels=(),
        metadata=replace(image.metadata, rescale=None, palette=(), icc=None),
    )


def settled(_: Image, parameters: Colormap, files: Files) -> Colormap | None:
    """With the table out of its file, and the file's version."""
    lut = parameters.lut
    return parameters.model_copy(update={"lut": lut.of(files(lut.name))}) if lut and not lut.colours else None


def _files(parameters: Colormap) -> tuple[str, ...]:
    return (parameters.lut.name,) if parameters.lut else ()


def _colours(parameters: Colormap) -> bytes:
    if parameters.colours:
        return gradient(parameters.colours)
    if parameters.lut:
        return parameters.lut.colours
    return entries(parameters.name or "")


def _single(image: Image) -> Image:
    """The image without an axis of channels; raises Unsupported where a map makes no sense of it."""
    if image.kind == "labels":
        raise Unsupported("labels are names, and no colour lies between two of them; render gives each one its own")
    if image.kind == "rgb":
        raise Unsupported("an rgb image has its colours; select,axis=c,index=0 takes the first as intensity")
    if image.size("c") > 1:
        raise Unsupported(
            f"a map is for one channel, and there are {image.size('c')}: take one by select,axis=c,index=0, "
            "or mix them by channels,blend=true"
        )
    return taken(image, "c", 0) if "c" in image.axis_names else image


def _transfer(image: Image, parameters: Colormap) -> Transfer | None:
    """The intensities as bytes, None where they are."""
    if parameters.low is not None and parameters.high is not None:
        return Transfer(parameters.low, parameters.high)
    window = image.channels[0].window if image.channels else None
    if window is not None and window[0] != window[1]:
        return None if image.dtype == BYTE and window == (0, 255) else Transfer(*window)
    if image.dtype == BYTE:
        return None
    if image.dtype.kind == "b":
        return Transfer(0, 1)
    if image.dtype.kind in "iu" and image.dtype.itemsize <= 2:
        info = np.iinfo(image.dtype)
        return Transfer(float(info.min), float(info.max))
    raise BadRequest(
        f"nothing says which intensities, {image.dtype}, have the first and last colour: give low and high"
    )


operation = Operation(
    name="colormap",
    title="Colours of a map",
    parameters=Colormap,
    apply=colormap,
    settled=settled,
    files=_files,
    examples=(
        "colormap,name=viridis",
        "colormap,name=fire,low=0,high=300",
        "colormap,colours=000000+ff8000+ffffff,low=200,high=0",
    ),
)
