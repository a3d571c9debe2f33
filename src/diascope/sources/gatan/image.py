"""An image out of the tags of a DM3 or DM4 file."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import ORDER, axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, ReadPixels
from diascope.image.metadata import Channel
from diascope.image.region import Ints, Region
from diascope.sources.gatan.calibration import Calibrated, at, axes
from diascope.sources.gatan.facts import channel, metadata
from diascope.sources.gatan.tags import Array, Document, Tree
from diascope.sources.reading.plain.row_major import RowMajor, plane_chunk_shape
from diascope.stores.store import Blob

TYPES = {
    1: "i2", 2: "f4", 6: "u1", 7: "i4", 8: "u4", 9: "i1", 10: "u2", 11: "u4", 12: "f8", 14: "u1", 23: "u4", 39: "i8",
    40: "u8",
}  # fmt: skip
COMPLEX = {
    3: "complex numbers of 8 bytes",
    5: "a packed Fourier transform of complex numbers",
    13: "complex numbers of 16 bytes",
    27: "a packed Fourier transform of complex numbers",
    28: "a packed Fourier transform of complex numbers",
}
COLOURS = {8, 23}
"""The types of four bytes: from the lowest blue, green, red, and one that programs leave at 0 or 255."""

MOST_AXES = 5


class Place(NamedTuple):
    """Where an image is."""

    blob: Blob
    document: Document
    tags: Tree
    """Its own."""
    number: int
    """In the list of images."""


def image(place: Place, name: str) -> Image:
    """Raises Unreadable where its type is complex or unknown, or the file is too short for it."""
    tags = place.tags["ImageData"]
    stored, calibrated = _stored(place), axes(tags, len(_shape(tags)))
    order = tuple(sorted(range(len(calibrated)), key=lambda d: ORDER.index(calibrated[d].name)))
    level, names = _level(stored, calibrated, order), "".join(calibrated[d].name for d in order)
    is_rgb = at(tags, "DataType") in COLOURS
    if is_rgb:
        level, names = _coloured(level, names)
    count = level.shape[names.index("c")] if "c" in names else 1
    return Image(
        name=name,
        kind="rgb" if is_rgb else "intensity",
        axes=axes_named(names, {axis.name: axis.unit for axis in calibrated if axis.unit}),
        levels=(level,),
        channels=() if is_rgb else (_shown(place, len(calibrated)),) * count,
        metadata=metadata(place.document, place.tags, calibrated),
    )


def _shown(place: Place, rank: int) -> Channel:
    """The limits between which a stack was shown are those of the plane that was seen last: they fit no other."""
    return channel(place.document, place.number) if rank == 2 else Channel()


def _shape(tags: Tree) -> Ints:
    """Fastest first, at least two dimensions; a spectrum is an image of one row."""
    listed = at(tags, "Dimensions")
    sizes = tuple(listed.values()) if isinstance(listed, dict) else ()
    if not all(isinstance(size, int) and size > 0 for size in sizes) or not 0 < len(sizes) <= MOST_AXES:
        raise Unreadable(f"an image of the dimensions {list(sizes)[:9]} cannot be")
    return sizes if len(sizes) > 1 else (*sizes, 1)


def _stored(place: Place) -> RowMajor:
    tags = place.tags["ImageData"]
    kind, data, shape = at(tags, "DataType"), at(tags, "Data"), _shape(tags)
    if kind in COMPLEX:
        raise Unreadable(f"its pixels are {COMPLEX[kind]}, which are not supported")
    if kind not in TYPES or not isinstance(data, Array):
        raise Unreadable(f"pixels of Gatan's type {kind!r} are not supported")
    dtype = np.dtype(TYPES[kind]).newbyteorder("<" if place.document.is_little else ">")
    if prod(shape) * dtype.itemsize > data.nbytes:
        raise Unreadable(f"{data.nbytes} bytes cannot hold {shape} pixels of {dtype}")
    return RowMajor(place.blob.read, data.start, shape[::-1], dtype)


def _level(stored: RowMajor, calibrated: tuple[Calibrated, ...], order: Ints) -> Level:
    """The pixels where they lie, their axes brought into the house's order."""
    chunk_shape = plane_chunk_shape(stored.shape, stored.dtype.itemsize)
    return Level(
        shape=tuple(stored.shape[::-1][d] for d in order),
        dtype=stored.dtype.newbyteorder("="),
        chunk_shape=tuple(chunk_shape[::-1][d] for d in order),
        scale=tuple(calibrated[d].spacing for d in order),
        translation=tuple(calibrated[d].first for d in order),
        read_pixels=_turned(stored, order),
    )


def _turned(stored: RowMajor, order: Ints) -> ReadPixels:
    last = len(order) - 1
    to_house = tuple(last - d for d in order)
    to_file = tuple(order.index(last - k) for k in range(last + 1))

    def read_pixels(region: Region) -> Pixels:
        start, stop = (tuple(corner[k] for k in to_file) for corner in (region.start, region.stop))
        return stored.box(Region(start, stop)).transpose(to_house)

    return read_pixels


def _coloured(level: Level, names: str) -> tuple[Level, str]:
    """Red, green and blue out of pixels of four bytes, with the axes' names; the fourth byte is no opacity."""
    if "c" in names:
        raise Unreadable("colours along more than four axes are not supported")
    place = sum(ORDER.index(name) < ORDER.index("c") for name in names)

    def read_pixels(region: Region) -> Pixels:
        keys = [corner[:place] + corner[place + 1 :] for corner in (region.start, region.stop)]
        packed = level.read_pixels(Region(keys[0], keys[1]))
        shifts = [16, 8, 0][region.start[place] : region.stop[place]]
        parts = [(packed >> shift).astype(np.uint8) for shift in shifts]
        return np.stack(parts, axis=place) if parts else np.empty(region.shape, np.uint8)

    def grown(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
        return (*values[:place], value, *values[place:])

    coloured = Level(
        shape=grown(level.shape, 3),
        dtype=np.dtype(np.uint8),
        chunk_shape=grown(level.chunk_shape, 3),
        scale=grown(level.scale, 1.0),
        translation=grown(level.translation, 0.0),
        read_pixels=read_pixels,
    )
    return coloured, f"{names[:place]}c{names[place:]}"
