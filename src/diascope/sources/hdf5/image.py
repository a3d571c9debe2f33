"""An array, or several that are levels, as an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Region, whole
from diascope.sources.hdf5 import emd
from diascope.sources.hdf5.axes import Laid, laid
from diascope.sources.hdf5.pyramid import factors
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.node import Group, dereferenced

MOST_COLOURS = 1 << 16


def image_of(name: str, arrays: tuple[Array, ...], parent: Group, top: Group, passed: Mapping[str, str]) -> Image:
    """Raises Unreadable where it has more axes than an image."""
    finest = arrays[0]
    found = laid(finest, parent, top)
    return Image(
        name=name,
        kind=found.kind,
        axes=found.axes.axes,
        levels=tuple(_level(array, factors(finest, array), found) for array in arrays),
        metadata=_metadata(finest, parent, top, passed),
    )


def _level(array: Array, by: tuple[int, ...], found: Laid) -> Level:
    """A level whose pixels are so many times as far apart as the finest one's."""
    axes = found.axes
    steps = [step * factor for step, factor in zip(found.steps, by, strict=True)]
    shifts = [(factor - 1) / 2 * step for step, factor in zip(found.steps, by, strict=True)]
    firsts = [first + shift for first, shift in zip(found.firsts, shifts, strict=True)]
    chunks = tuple(
        size if found.kind == "rgb" and letter == "c" else chunk
        for letter, size, chunk in zip(axes.letters, array.shape, array.cheap_shape, strict=True)
    )

    def read_pixels(region: Region) -> Pixels:
        return axes.turned(array.read(axes.stored(region)))

    return Level(
        shape=axes.ordered(array.shape, 1),
        dtype=array.dtype,
        chunk_shape=axes.ordered(chunks, 1),
        scale=axes.ordered(steps, 1.0),
        translation=axes.ordered(firsts, 0.0),
        read_pixels=read_pixels,
    )


def _metadata(array: Array, parent: Group, top: Group, passed: Mapping[str, str]) -> Metadata:
    told = emd.metadata(array, parent) or Metadata(format="HDF5", extra={"path": array.path})
    extra = {**told.extra, "attributes": array.attributes.told, "filters": [step.code for step in array.filters]}
    if passed:
        extra["passed_over"] = dict(passed)
    return replace(told, palette=_palette(array, top), extra=extra)


def _palette(array: Array, top: Group) -> tuple[str, ...]:
    """The colours of an image of indices, none of any other."""
    references = array.attributes.get("PALETTE")
    if array.attributes.text("IMAGE_SUBCLASS") != "IMAGE_INDEXED" or references is None:
        return ()
    found = dereferenced(top, next(iter(np.atleast_1d(references).tolist()), None))
    if not isinstance(found, Array) or found.dtype != np.uint8 or found.shape[1:] != (3,):
        return ()
    colours = found.read(whole(found.shape)) if found.shape[0] <= MOST_COLOURS else np.empty((0, 3), np.uint8)
    return tuple(bytes(colour).hex() for colour in colours)
