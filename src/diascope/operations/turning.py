"""Whole pixels in another order: axes reversed and exchanged, at every level, without interpolation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diascope.errors import BadRequest
from diascope.image.affine import affine
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.mapping import Mapping, mapping
from diascope.image.region import Ints, Region
from diascope.image.resampling import carried
from diascope.image.space import edges
from diascope.operations.places import place


def reversed_along(image: Image, names: str) -> Image:
    """The image mirrored about its middle, along each of the axes."""
    places = [place(image, name) for name in names]
    low, high = edges(image.axes, image.levels[0])
    matrix = np.eye(4)
    for name in names:
        k = "xyz".index(name)
        matrix[k, k], matrix[k, 3] = -1.0, low[k] + high[k]
    back = mapping(matrix)
    levels = tuple(_reversed(level, places, image) for level in image.levels)
    return _placed(image, levels, image.axes, back)


def _reversed(level: Level, places: list[int], image: Image) -> Level:
    finest = image.levels[0]
    translation = list(level.translation)
    for at in places:
        ends = 2 * finest.translation[at] + (finest.shape[at] - 1) * finest.scale[at]
        translation[at] = ends - (level.translation[at] + (level.shape[at] - 1) * level.scale[at])

    def read_pixels(region: Region) -> Pixels:
        start, stop = list(region.start), list(region.stop)
        for at in places:
            start[at], stop[at] = level.shape[at] - region.stop[at], level.shape[at] - region.start[at]
        pixels = level.read(Region(tuple(start), tuple(stop)))
        return np.asarray(np.flip(pixels, tuple(places)))

    return replace(level, translation=tuple(translation), read_pixels=read_pixels)


def exchanged(image: Image, order: str) -> Image:
    """The image whose spatial axes, slowest first, are the image's of these names, with their lengths and units."""
    names = "".join(axis.name for axis in image.axes if axis.type == "space")
    if sorted(order) != sorted(names):
        raise BadRequest(f"{order!r} does not name each of the spatial axes {names!r} once")
    others = len(image.axes) - len(names)
    source = (*range(others), *(image.axis_names.index(name) for name in order))
    axes = tuple(Axis(image.axes[k].name, image.axes[at].unit) for k, at in enumerate(source))
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    for name in "xyz":
        # What the result has along an axis is what the image has along the one that took its place.
        origin = order[names.index(name)] if name in names else name
        matrix["xyz".index(origin), "xyz".index(name)] = 1.0
    return _placed(image, tuple(_exchanged(level, source) for level in image.levels), axes, mapping(matrix))


def _exchanged(level: Level, source: Ints) -> Level:
    def read_pixels(region: Region) -> Pixels:
        start, stop = [0] * len(source), [0] * len(source)
        for at, first, last in zip(source, region.start, region.stop, strict=True):
            start[at], stop[at] = first, last
        return level.read(Region(tuple(start), tuple(stop))).transpose(source)

    return replace(
        level,
        shape=tuple(level.shape[at] for at in source),
        chunk_shape=tuple(level.chunk_shape[at] for at in source),
        scale=tuple(level.scale[at] for at in source),
        translation=tuple(level.translation[at] for at in source),
        read_pixels=read_pixels,
    )


def _placed(image: Image, levels: tuple[Level, ...], axes: tuple[Axis, ...], back: Mapping) -> Image:
    """The image of these levels, in which everything keeps its place in the world."""
    world = image.world and affine(image.world.array @ back.matrix, image.world.space)
    result = replace(image, axes=axes, levels=levels, world=world, stored=back.then(image.stored))
    return carried(result, image, lambda source: source, back)
