"""Images that lose an axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import nan

import numpy as np

from diascope.image.affine import affine
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.mapping import Mapping, mapping
from diascope.image.metadata import Channel
from diascope.image.region import Ints, Region
from diascope.image.resampling import carried
from diascope.image.stored import at_index, stored_as
from diascope.operations.places import index_in, place
from diascope.operations.pointwise import Mapped


def taken(image: Image, axis: str, index: int) -> Image:
    """The image at an index of level 0; of an RGB image's channels one is an intensity."""
    at, finest = place(image, axis), image.levels[0]
    levels = tuple(_plane(level, at, axis, index_in(level, finest, at, index)) for level in image.levels)
    channel = image.channels[index] if axis == "c" and index < len(image.channels) else None
    kind = "intensity" if axis == "c" and image.kind == "rgb" else image.kind
    result = replace(without(image, axis, levels, channel), kind=kind)
    if axis == "z":
        back = _at_height(finest.translation[at] + index * finest.scale[at])
        world = image.world and affine(image.world.array @ back.matrix, image.world.space)
        return replace(result, world=world, stored=back.then(image.stored))
    return carried(result, image, lambda source: taken(source, axis, index))


def _at_height(z: float) -> Mapping:
    """From positions in a plane, where z is 0, to those in the volume."""
    matrix = np.eye(4)
    matrix[2, 3] = z
    return mapping(matrix)


def _plane(level: Level, at: int, axis: str, index: int) -> Level:
    before = level.read_pixels
    if isinstance(before, Mapped) and before.colours_at is None:
        # A plane of what is mapped is its source's plane mapped, and stays one look-up with what follows.
        source = _plane(before.source, at, axis, index)
        return flat(level, at, replace(before, source=source))

    def read(region: Region) -> Pixels:
        pixels = level.read(raised(region, at, index, index + 1))
        return pixels[tuple(0 if d == at else slice(None) for d in range(pixels.ndim))]

    stored = level.stored if level.chunk_shape[at] == 1 else None
    return stored_as(flat(level, at, read), stored and at_index(stored, at, axis, index))


def without(image: Image, axis: str, levels: tuple[Level, ...], channel: Channel | None = None) -> Image:
    """The image of these levels, which lost an axis; a plane of unknown z has no place in the world."""
    channels = image.channels
    if axis == "c":
        channels = () if channel is None else (channel,)
    return replace(
        image,
        axes=tuple(each for each in image.axes if each.name != axis),
        levels=levels,
        channels=channels,
        world=None if axis == "z" else image.world,
        stored=_at_height(nan).then(image.stored) if axis == "z" else image.stored,
    )


def lost(values: tuple[float, ...], at: int) -> tuple[float, ...]:
    return values[:at] + values[at + 1 :]


def flat(level: Level, at: int, read: Callable[[Region], Pixels]) -> Level:
    """The level without an axis, read in regions without it."""
    shape: Ints = level.shape[:at] + level.shape[at + 1 :]
    return replace(
        level,
        shape=shape,
        chunk_shape=level.chunk_shape[:at] + level.chunk_shape[at + 1 :],
        scale=lost(level.scale, at),
        translation=lost(level.translation, at),
        read_pixels=read,
        # A chunk is read whole, whatever of it is wanted.
        cost=level.cost * level.chunk_shape[at],
    )


def raised(region: Region, at: int, start: int, stop: int) -> Region:
    """The region with one axis more, from start to stop along it."""
    return Region(
        (*region.start[:at], start, *region.start[at:]),
        (*region.stop[:at], stop, *region.stop[at:]),
    )
