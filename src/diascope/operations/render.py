"""What a viewer shows at first sight: one plane as an 8-bit RGB picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from pydantic import Field

from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.operations.composite import colour_level, composite
from diascope.operations.contrast import Once, limits
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.palette import COMPOSITE, channel_colours, label_colours, palette_colours
from diascope.operations.places import index_of
from diascope.operations.planes import taken
from diascope.operations.transfer import BYTE, Bytes, Transfer

SHOWN = len(COMPOSITE)
"""How many channels are blended: as many as there are colours to tell them apart."""


class Render(Parameters):
    z: int | None = Field(None, description="The plane, from 0 on, -1 being the last; by default the middle one.")
    t: int | None = Field(None, description="The time point, from 0 on, -1 being the last; by default the first.")


def render(image: Image, parameters: Render) -> Image:
    """An rgb image of uint8 with the axes c, y and x, its colours interleaved in memory.

    Channels, the first seven, are shown in their colours, else in ImageJ's; a single one without a colour is grey.
    Each is shown between its own limits; without them bytes are shown as they are, and other pixels between 0.1 and
    99.9 % of those of a coarse level of the middle plane at the first time point, so that planes stay comparable.
    These limits are told when the first pixel is read. Indices of a palette are shown in its colours; each label has a
    colour of its own, 0 is black. Of rgb images
    colours, and opacity where there is one, are scaled to bytes from the window that all of them have, or else from the
    whole range of their type, floats from 0 to 1.
    """
    plane = _plane(image, _index(image, "z", parameters.z), _index(image, "t", parameters.t))
    if plane.kind == "rgb":
        return _bytes(plane)
    if plane.metadata.palette and plane.dtype.kind == "u" and "c" not in plane.axis_names:
        return _coloured(plane, partial(palette_colours, plane.metadata.palette))
    if plane.kind == "labels":
        return _coloured(plane, label_colours)
    shown = range(min(plane.size("c"), SHOWN))
    channels = [image.channels[k] if k < len(image.channels) else Channel() for k in shown]
    middle = _plane(image, image.size("z") // 2, 0)
    transfers = Once(lambda: [_transfer(middle, channel, k) for k, channel in zip(shown, channels, strict=True)])
    return composite(plane, shown, transfers, channel_colours(tuple(channels)))


def _index(image: Image, axis: str, given: int | None) -> int:
    if given is None:
        return image.size("z") // 2 if axis == "z" else 0
    return index_of(image, axis, given)


def _plane(image: Image, z: int, t: int) -> Image:
    """The image with the axes y and x, and those of its channels."""
    for axis, index in (("z", z), ("t", t)):
        if axis in image.axis_names:
            image = taken(image, axis, index)
    return taken(image, "c", 0) if image.kind == "labels" and "c" in image.axis_names else image


def _transfer(plane: Image, channel: Channel, index: int) -> Transfer:
    if channel.window is not None and channel.window[0] != channel.window[1]:
        return Transfer(*channel.window)
    if plane.dtype == BYTE or plane.dtype.kind == "b":
        return whole_range(plane)
    return Transfer(*limits(taken(plane, "c", index) if "c" in plane.axis_names else plane))


def whole_range(image: Image) -> Transfer:
    """All that an integer can hold; 0 to 1 of other types."""
    if image.dtype.kind not in "iu":
        return Transfer(0, 1)
    info = np.iinfo(image.dtype)
    return Transfer(float(info.min), float(info.max))


def _bytes(image: Image) -> Image:
    result = replace(image, channels=(), metadata=replace(image.metadata, rescale=None, palette=()))
    if image.dtype == BYTE:
        return result
    transfer = _of_colours(image)

    def coloured(level: Level) -> Level:
        def read_pixels(region: Region) -> Pixels:
            return transfer(level.read(region).transpose(1, 2, 0)).transpose(2, 0, 1)

        return replace(level, dtype=BYTE, read_pixels=read_pixels)

    return mapped(result, coloured)


def _of_colours(image: Image) -> Transfer:
    """One for all colours, which would change with one for each."""
    windows = {channel.window for channel in image.channels}
    window = windows.pop() if len(windows) == 1 else None
    return Transfer(*window) if window is not None and window[0] != window[1] else whole_range(image)


def _coloured(image: Image, colours_of: Callable[[Pixels], Bytes]) -> Image:
    def coloured(level: Level) -> Level:
        def read_pixels(region: Region) -> Bytes:
            colours = colours_of(level.read(Region(region.start[1:], region.stop[1:])))
            return colours[..., region.start[0] : region.stop[0]].transpose(2, 0, 1)

        return replace(colour_level(level, 0, has_channels=False), read_pixels=read_pixels)

    metadata = replace(image.metadata, rescale=None, palette=(), icc=None)
    return mapped(image, coloured, kind="rgb", axes=(Axis("c"), *image.axes), channels=(), metadata=metadata)


operation = Operation(
    name="render",
    title="What a viewer shows at first sight",
    parameters=Render,
    apply=render,
    examples=("render", "render,z=0", "render,z=-1,t=1"),
)
