"""Channels in colours, summed to one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from diascope.image.axes import ORDER, Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.operations.operation import mapped
from diascope.operations.transfer import BYTE, Colour, Mode, Transfer, blended


def channels_read(level: Level, at: int, wanted: Sequence[int], region: Region) -> list[Pixels]:
    """The channels wanted, each with a channel axis of one; a chunk that holds several is read once."""

    def between(start: int, stop: int) -> Pixels:
        starts, stops = list(region.start), list(region.stop)
        starts[at], stops[at] = start, stop
        return level.read(Region(tuple(starts), tuple(stops)))

    if level.chunk_shape[at] == 1:
        return [between(k, k + 1) for k in wanted]
    first = min(wanted)
    pixels = np.moveaxis(between(first, max(wanted) + 1), at, 0)
    return [np.moveaxis(pixels[k - first : k - first + 1], 0, at) for k in wanted]


def composite(
    image: Image,
    shown: Sequence[int],
    transfers: Sequence[Transfer] | Callable[[], Sequence[Transfer]],
    colours: Sequence[Colour],
    mode: Mode = "add",
) -> Image:
    """The rgb picture of channels; transfers may be told when they are first needed."""
    names = "".join(name for name in ORDER if name == "c" or name in image.axis_names)
    at, has_channels = names.index("c"), "c" in image.axis_names
    one = (slice(None),) * at + (0,)

    def read_pixels(level: Level, region: Region) -> Pixels:
        told = transfers() if callable(transfers) else transfers
        if has_channels:
            greys = [
                transfer(pixels[one])
                for transfer, pixels in zip(told, channels_read(level, at, shown, region), strict=True)
            ]
        else:
            inner = Region(region.start[:at] + region.start[at + 1 :], region.stop[:at] + region.stop[at + 1 :])
            greys = [told[0](level.read(inner))]
        taken = blended(greys, colours, mode)[..., region.start[at] : region.stop[at]]
        return np.moveaxis(taken, -1, at)

    def coloured(level: Level) -> Level:
        return replace(colour_level(level, at, has_channels=has_channels), read_pixels=lambda r: read_pixels(level, r))

    return mapped(
        image,
        coloured,
        kind="rgb",
        axes=tuple(Axis("c") if name == "c" else next(a for a in image.axes if a.name == name) for name in names),
        channels=(),
        metadata=replace(image.metadata, rescale=None, palette=(), icc=None),
    )


def colour_level(level: Level, at: int, *, has_channels: bool, colours: int = 3) -> Level:
    """The level's grid with a channel axis of red, green and blue in place of its channels, if any."""
    after = at + 1 if has_channels else at

    def put(values: tuple[float, ...], value: float) -> tuple[float, ...]:
        return (*values[:at], value, *values[after:])

    return replace(
        level,
        shape=(*level.shape[:at], colours, *level.shape[after:]),
        chunk_shape=(*level.chunk_shape[:at], colours, *level.chunk_shape[after:]),
        dtype=BYTE,
        scale=put(level.scale, 1.0),
        translation=put(level.translation, 0.0),
    )
