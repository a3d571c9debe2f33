"""Filters of the colours of a picture that leave its opacity as it is, or leave it out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Region

COLOURS = {"red": "ff0000", "green": "00ff00", "blue": "0000ff"}


def colours_of(image: Image, level: Level, filtered: Level) -> Level:
    """The filtered level of the same type; of a picture that has an opacity, with that of the level."""
    if image.kind != "rgb" or image.size("c") < 4:
        return filtered
    at = image.axis_names.index("c")

    def read_pixels(region: Region) -> Pixels:
        if region.start[at] >= 3 or region.stop[at] <= 3:
            return (level if region.start[at] >= 3 else filtered).read_pixels(region)
        ends = (*region.stop[:at], 3, *region.stop[at + 1 :])
        starts = (*region.start[:at], 3, *region.start[at + 1 :])
        parts = (filtered.read_pixels(Region(region.start, ends)), level.read_pixels(Region(starts, region.stop)))
        return np.concatenate(parts, axis=at)

    return replace(filtered, read_pixels=read_pixels)


def colours_apart(image: Image) -> Image:
    """Of a picture its colours as three channels, without its opacity; other images as they are."""
    if image.kind != "rgb":
        return image
    at = image.axis_names.index("c")

    def three(level: Level) -> Level:
        shape, chunk = list(level.shape), list(level.chunk_shape)
        shape[at], chunk[at] = 3, min(chunk[at], 3)
        return replace(level, shape=tuple(shape), chunk_shape=tuple(chunk))

    return replace(
        image,
        kind="intensity",
        levels=tuple(map(three, image.levels)),
        channels=tuple(Channel(name=name, colour=colour) for name, colour in COLOURS.items()),
        metadata=replace(image.metadata, icc=None),
    )
