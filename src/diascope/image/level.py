"""One resolution of an image."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import sub
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.errors import BadRequest
from diascope.image.region import Ints, Region, whole

if TYPE_CHECKING:
    from diascope.image.stored import Stored

Pixels: TypeAlias = NDArray[Any]
ReadPixels: TypeAlias = Callable[[Region], Pixels]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """One resolution of an image, read a region at a time."""

    shape: Ints
    dtype: np.dtype[Any]
    """In the byte order of the machine."""
    chunk_shape: Ints
    """The grid in which reading is cheap."""
    scale: tuple[float, ...]
    """The distance of neighbouring pixels per axis, in the axis' unit."""
    translation: tuple[float, ...]
    """The position of the centre of pixel 0 per axis, in the axis' unit."""
    read_pixels: ReadPixels
    """The pixels of a region that lies inside, in any memory layout; called from many threads at once."""
    cost: float = 1.0
    """About how many stored pixels are read for one of its own: more than one where the level is made."""
    spread: float = 1.0
    """About how many times as many pixels as a tile has are held for it, by filters that look at neighbours."""
    stored: Stored | None = field(default=None, init=False)
    """Its chunks exactly as their source stores them, for layouts that can pass them on unopened; see ``stored_as``."""

    def read(self, region: Region) -> Pixels:
        """The pixels of a region as an array of its shape, not to be written to.

        Raises BadRequest where the region does not lie inside the level.
        """
        if not region.inside(self.shape):
            msg = f"the region from {region.start} to {region.stop} does not lie inside the shape {self.shape}"
            raise BadRequest(msg)
        return self.read_pixels(region)


def padded(level: Level, region: Region) -> Pixels:
    """The pixels of a region that may reach over the upper edges, with zeros there."""
    inside = region.clipped(level.shape)
    pixels = level.read(inside)
    if inside == region:
        return pixels
    out = np.zeros(region.shape, level.dtype)
    out[inside.shifted(region.start).slices] = pixels
    return out


def assembled(level: Level, region: Region, pieces: Iterable[tuple[Region, Pixels]]) -> Pixels:
    """The pixels of a region out of pieces that cover it, each a box of the level and its pixels.

    They lie in memory as those of the first piece do, colours side by side where they do there.
    """
    out = None
    for box, pixels in pieces:
        if out is None:
            out = np.empty_like(pixels, level.dtype, shape=region.shape)
        start, stop = tuple(map(max, box.start, region.start)), tuple(map(min, box.stop, region.stop))
        into = map(slice, map(sub, start, region.start), map(sub, stop, region.start))
        out[tuple(into)] = pixels[tuple(map(slice, map(sub, start, box.start), map(sub, stop, box.start)))]
    return np.empty(region.shape, level.dtype) if out is None else out


def in_memory(pixels: Pixels, scale: Iterable[float] | None = None) -> Level:
    """A level whose pixels are an array, one chunk of its whole shape."""
    spacing = tuple(scale) if scale is not None else (1.0,) * pixels.ndim
    return Level(
        shape=pixels.shape,
        dtype=pixels.dtype,
        chunk_shape=tuple(max(size, 1) for size in pixels.shape),
        scale=spacing,
        translation=(0.0,) * pixels.ndim,
        read_pixels=lambda region: pixels[region.slices],
    )


def read_whole(level: Level) -> Pixels:
    """All the pixels of a level, which must fit in memory."""
    return level.read(whole(level.shape))
