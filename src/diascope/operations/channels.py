"""Channels of an image: some of them, in another order, in other colours, or blended to one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import Field, model_validator

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.image.resampling import carried
from diascope.operations.composite import channels_read, composite
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.palette import channel_colours
from diascope.operations.transfer import Mode, Transfer
from diascope.operations.values import OptionalColours, OptionalIndices, OptionalNumbers


class Channels(Parameters):
    show: OptionalIndices = Field(
        None, description="The channels to keep, in this order, from 0 on; by default all of them."
    )
    colours: OptionalColours = Field(None, description="The colour of each channel that is kept.")
    low: OptionalNumbers = Field(None, description="The intensity of each channel that is kept that is shown as black.")
    high: OptionalNumbers = Field(
        None, description="The intensity of each channel that is kept that is shown in its full colour."
    )
    blend: bool = Field(
        False,
        description=(
            "Whether to make one rgb picture of uint8 of the channels in their colours. Limits that are not given are "
            "the channel's own, or all that an integer of up to 16 bits can hold."
        ),
    )
    mode: Mode = Field(
        "add",
        description=(
            "How they are blended: `add` is the sum, clipped at 255, `max` the brightest, `screen` what several lamps "
            "would give; `min` begins with white, of which each channel leaves its colour, and takes the darkest."
        ),
    )
    gamma: OptionalNumbers = Field(None, description="The exponent of the curve between each channel's limits.")

    @model_validator(mode="after")
    def of_a_blend(self) -> Channels:
        if not self.blend and (self.mode != "add" or self.gamma is not None):
            raise ValueError("mode and gamma go with blend=true")
        if self.gamma is not None and not all(0.01 <= each <= 100 for each in self.gamma):
            raise ValueError("gamma lies between 0.01 and 100")
        return self


def channels(image: Image, parameters: Channels) -> Image:
    """The image with the channels shown; pixels are the stored ones unless they are blended."""
    if image.kind == "rgb":
        raise Unsupported("an rgb image's channels are colours already; select,axis=c,index=0 takes the first")
    shown = _shown(image, parameters)
    described = _described(image, parameters, shown)
    if not parameters.blend:
        return carried(_kept(image, shown, described), image, lambda source: _kept(source, shown, described))
    if image.kind == "labels":
        raise Unsupported("labels have no intensities to blend; render shows them in colours")
    gammas = parameters.gamma or (1.0,) * len(shown)
    transfers = [
        replace(_transfer(image, channel, k), gamma=gamma)
        for k, channel, gamma in zip(shown, described, gammas, strict=True)
    ]
    return composite(image, shown, transfers, channel_colours(described), parameters.mode)


def _shown(image: Image, parameters: Channels) -> tuple[int, ...]:
    count = image.size("c")
    shown = parameters.show if parameters.show is not None else tuple(range(count))
    if max(shown) >= count or len(set(shown)) < len(shown):
        wanted = "+".join(map(str, shown))
        raise BadRequest(f"show={wanted} names a channel twice or one that is not there: there are {count}, from 0 on")
    for name in ("colours", "low", "high", "gamma"):
        given = getattr(parameters, name)
        if given is not None and len(given) != len(shown):
            raise BadRequest(f"{name} has {len(given)} members for {len(shown)} channels")
    return shown


def _described(image: Image, parameters: Channels, shown: Sequence[int]) -> tuple[Channel, ...]:
    """The channels shown, with the colours and limits given."""
    return tuple(_changed(_channel(image, k), parameters, place) for place, k in enumerate(shown))


def _channel(image: Image, index: int) -> Channel:
    return image.channels[index] if index < len(image.channels) else Channel()


def _changed(channel: Channel, parameters: Channels, place: int) -> Channel:
    if parameters.colours is not None:
        channel = replace(channel, colour=parameters.colours[place])
    if parameters.low is None and parameters.high is None:
        return channel
    old = channel.window or (None, None)
    low = parameters.low[place] if parameters.low is not None else old[0]
    high = parameters.high[place] if parameters.high is not None else old[1]
    if low is None or high is None or low == high:
        raise BadRequest("low and high of a channel must both be given or known, and differ")
    return replace(channel, window=(low, high))


def _transfer(image: Image, channel: Channel, index: int) -> Transfer:
    if channel.window is not None and channel.window[0] != channel.window[1]:
        return Transfer(*channel.window)
    if image.dtype.kind == "b":
        return Transfer(0, 1)
    if image.dtype.kind in "iu" and image.dtype.itemsize <= 2:
        info = np.iinfo(image.dtype)
        return Transfer(float(info.min), float(info.max))
    raise BadRequest(f"nothing says what of channel {index}, {image.dtype}, is black and white: give low and high")


def _kept(image: Image, shown: Sequence[int], described: tuple[Channel, ...]) -> Image:
    if "c" not in image.axis_names:
        return replace(image, channels=described)
    at = image.axis_names.index("c")
    return mapped(image, lambda level: _reordered(level, at, shown), channels=described)


def _reordered(level: Level, at: int, shown: Sequence[int]) -> Level:
    def read_pixels(region: Region) -> Pixels:
        wanted = shown[region.start[at] : region.stop[at]]
        if not wanted:
            return np.empty(region.shape, level.dtype)
        return np.concatenate(channels_read(level, at, wanted, region), axis=at)

    shape, chunk = list(level.shape), list(level.chunk_shape)
    shape[at] = len(shown)
    chunk[at] = min(chunk[at], len(shown))
    return replace(level, shape=tuple(shape), chunk_shape=tuple(chunk), read_pixels=read_pixels)


operation = Operation(
    name="channels",
    title="Channels selected, coloured or blended",
    parameters=Channels,
    apply=channels,
    examples=(
        "channels,show=1+0",
        "channels,show=0,colours=ff8000,low=0,high=300",
        "channels,colours=ff0000+00ff00,blend=true",
        "channels,show=1+0,colours=336699+00ff80,low=0.5+3,high=100+20,blend=true",
        "channels,blend=true,mode=screen",
        "channels,colours=0080ff+ff00ff,blend=true,mode=min,gamma=0.5+1",
    ),
)
