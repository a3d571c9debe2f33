"""The images of a CZI file: its scenes, and what of them is too unlike to be one array.

Dimensions other than T, C, Z, Y and X (phases H, rotations R, illuminations I, views V, blocks B …) make images of
their own, and so do channels of different types of pixels, and colour pictures of several channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region
from diascope.sources.czi.codecs import GRAY, pixel_type
from diascope.sources.czi.directory import Column, Subblocks
from diascope.sources.czi.facts import Facts
from diascope.sources.czi.mosaic import Mosaic, Pieces
from diascope.sources.czi.pyramid import covers, steps
from diascope.sources.reading.names.safe_names import safe_names

FOLDED = frozenset("TCZM")
"""Dimensions that are not images of their own; X and Y have columns of their own."""

SPARSE = 1024
"""More planes than this, and four for each subblock, are the mark of a lying directory."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The subblocks of one image."""

    name: str
    number: int
    """Of its scene in the file, -1 where there are none."""
    table: Subblocks
    pieces: Pieces
    facts: Facts

    def image(self) -> Image:
        """Its stored levels; raises Unreadable where its directory cannot be true."""
        step = steps(self.table, self.facts.minification(self.number))
        finest = self.table.taken(step == 0)
        planes = _planes(finest)
        title, dtype, samples = pixel_type(int(finest.pixel_type[0]))
        is_rgb = samples > GRAY
        axes = "".join(
            axis for axis in "tczyx" if axis in "yx" or planes.sizes.get(axis, 1) > 1 or (is_rgb and axis == "c")
        )
        box = _box(finest)
        levels = []
        for k in sorted(set(step.tolist()) - {-1}):
            level = self.table.taken(step == k)
            if k == 0 or covers(finest, level, box):
                factor = self.facts.minification(self.number) ** k
                mosaic = _mosaic(self.pieces, level, planes, box, factor)
                levels.append(_level(mosaic, axes, factor, self.facts))
        return Image(
            name=self.name,
            kind="rgb" if is_rgb and dtype.kind == "u" else "intensity",
            axes=axes_named(axes, self.facts.units),
            levels=tuple(levels),
            channels=() if is_rgb else self.facts.channels_of(planes.channels.tolist(), dtype),
            metadata=self.facts.metadata(self.number, title, finest),
        )


def scenes(table: Subblocks, pieces: Pieces, facts: Facts, stem: str) -> Mapping[str, Scene]:
    """The scenes by name: that of the file where there is one, else their own."""
    keys, columns, group = _groups(table)
    names = safe_names(_texts(keys, columns, facts)) if len(keys) > 1 else [stem]
    order = np.argsort(group, kind="stable")
    _, *parts = np.split(order, np.searchsorted(group[order], np.arange(len(keys))))
    return {
        name: Scene(name, int(key[0]), table.taken(rows), pieces, facts)
        for name, key, rows in zip(names, keys, parts, strict=True)
    }


def _groups(table: Subblocks) -> tuple[NDArray[np.int64], list[str], Column]:
    """The places of each image along S and other dimensions, their letters, and which image a subblock belongs to.

    What has pixels of a pyramid alone is no image: its number is -1.
    """
    others = sorted(set(table.starts) - FOLDED - {"S"})
    colour = np.array([pixel_type(int(kind))[2] > GRAY for kind in np.unique(table.pixel_type)])
    is_colour = np.isin(table.pixel_type, np.unique(table.pixel_type)[colour])
    columns = [
        table.along("S"),
        *(table.along(letter) for letter in others),
        table.pixel_type,
        np.where(is_colour, table.along("C"), 0),
    ]
    keys, group = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    finest = (table.width == table.stored_width) & (table.height == table.stored_height)
    present = np.unique(group[finest])
    if not len(present):
        raise Unreadable("it has no pixels of full resolution")
    numbers = np.full(len(keys), -1, np.int64)
    numbers[present] = np.arange(len(present))
    return keys[present], ["S", *others, "type", "C"], numbers[group]


def _texts(keys: NDArray[np.int64], columns: list[str], facts: Facts) -> list[str]:
    varying = [(keys[:, k] != keys[0, k]).any() for k in range(len(columns))]

    def text(key: NDArray[np.int64]) -> str:
        parts = []
        for letter, value, varies in zip(columns, key.tolist(), varying, strict=True):
            if varies and letter == "S":
                parts.append(facts.scene_name(value))
            elif varies and letter == "type":
                parts.append(pixel_type(value)[0])
            elif varies:
                parts.append(f"{letter}{value}")
        return "-".join(parts)

    return [text(key) for key in keys]


def _box(finest: Subblocks) -> Ints:
    """Top, left, height and width of what the tiles cover."""
    top, left = int(finest.y.min()), int(finest.x.min())
    return top, left, int((finest.y + finest.height).max()) - top, int((finest.x + finest.width).max()) - left


class Planes(NamedTuple):
    """Which planes an image has."""

    starts: dict[str, int]
    """The first place along t and z."""
    sizes: dict[str, int]
    """Of t, c and z."""
    channels: Column
    """Their numbers: these only name them, so that they are counted."""


def _planes(finest: Subblocks) -> Planes:
    places = {axis: finest.along(axis.upper()) for axis in "tz"}
    channels = np.unique(finest.along("C"))
    starts = {axis: int(each.min()) for axis, each in places.items()}
    sizes = {axis: int(each.max()) - starts[axis] + 1 for axis, each in places.items()} | {"c": len(channels)}
    if sizes["t"] * sizes["c"] * sizes["z"] > SPARSE + 4 * len(finest):
        raise Unreadable(f"{len(finest)} subblocks cannot make an image of the planes {sizes}")
    return Planes(starts, sizes, channels)


def _mosaic(pieces: Pieces, level: Subblocks, planes: Planes, box: Ints, factor: int) -> Mosaic:
    starts, sizes, channels = planes
    channel = np.minimum(np.searchsorted(channels, level.along("C")), len(channels) - 1)
    t, z = level.along("T") - starts["t"], level.along("Z") - starts["z"]
    inside = (t >= 0) & (t < sizes["t"]) & (z >= 0) & (z < sizes["z"]) & (channels[channel] == level.along("C"))
    plane = (t * sizes["c"] + channel) * sizes["z"] + z
    order = np.lexsort((np.arange(len(level)), level.along("M"), plane))
    order = order[inside[order]]
    table = level.taken(order)
    # A tile that begins between two pixels of the level begins in the first of them.
    y, x = (table.y - box[0]) // factor, (table.x - box[1]) // factor
    ends = (int((y + table.stored_height).max()), int((x + table.stored_width).max()))
    size = tuple(min(end, -(-full // factor)) for end, full in zip(ends, box[2:], strict=True))
    _, dtype, samples = pixel_type(int(table.pixel_type[0]))
    return Mosaic(
        pieces=pieces,
        table=table,
        plane=plane[order],
        x=x,
        y=y,
        shape=(sizes["t"], sizes["c"], sizes["z"], *size),
        dtype=dtype.newbyteorder("="),
        samples=samples,
    )


def _level(mosaic: Mosaic, axes: str, factor: int, facts: Facts) -> Level:
    """The mosaic's planes with the axes of the image; the samples of colours are its axis c."""
    is_rgb = mosaic.samples > GRAY
    full = dict(zip("tczyx", mosaic.shape, strict=True)) | ({"c": mosaic.samples} if is_rgb else {})
    chunk = {"t": 1, "c": mosaic.samples if is_rgb else 1, "z": 1, **dict(zip("yx", mosaic.chunk(), strict=True))}

    def read_pixels(region: Region) -> Pixels:
        ends = dict(zip(axes, zip(region.start, region.stop, strict=True), strict=True))
        colours = ends.pop("c", (0, 1)) if is_rgb else (0, 1)
        box = [ends.get(axis, (0, 1)) for axis in "tczyx"]
        pixels = mosaic.read(Region(tuple(low for low, _ in box), tuple(high for _, high in box)))
        pixels = np.moveaxis(pixels[:, 0, ..., slice(*colours)], -1, 1) if is_rgb else pixels[..., 0]
        return pixels[tuple(slice(None) if axis in axes else 0 for axis in "tczyx")]

    return Level(
        shape=tuple(full[axis] for axis in axes),
        dtype=mosaic.dtype,
        chunk_shape=tuple(chunk[axis] for axis in axes),
        scale=tuple(facts.spacing.get(axis, 1.0) * (factor if axis in "yx" else 1) for axis in axes),
        translation=tuple((factor - 1) / 2 * facts.spacing.get(axis, 1.0) if axis in "yx" else 0.0 for axis in axes),
        read_pixels=read_pixels,
    )
