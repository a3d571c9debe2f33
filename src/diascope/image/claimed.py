"""Pixels whose memory is claimed before they are read, so that a server can say no in time."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from operator import sub

from diascope.image.image import Image, resampled_by
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.image.stored import stored_as
from diascope.work import claim


def claimed(image: Image) -> Image:
    """The same image; whoever reads it claims what its pixels, and what is made of them, take (``diascope.work``)."""
    same = replace(image, levels=tuple(map(claimed_level, image.levels)))
    return resampled_by(same, image.resampling) if image.resampling else same


def claimed_level(level: Level) -> Level:
    """The same level; a region is held about twice, and whatever filters hold around it."""
    each = level.dtype.itemsize * (1 + max(level.spread, 1.0))

    def read_pixels(region: Region) -> Pixels:
        claim(int(each * prod(map(sub, region.stop, region.start))))
        return level.read_pixels(region)

    return stored_as(replace(level, read_pixels=read_pixels), level.stored)
