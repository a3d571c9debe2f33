"""Pixels of a picture that can only be decoded whole, as a level."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from tempfile import TemporaryFile, gettempdir
from typing import Any, TypeAlias

import numpy as np

from diascope.bounded import BoundedCache
from diascope.errors import Unreadable
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region

MOST_SAMPLES = 1 << 30
"""A picture of more samples than this is refused before it is decoded."""

BIG = 1 << 26
"""A picture of at most so many bytes is one chunk, which the cache of chunks keeps."""

TILE = 1024

Decode: TypeAlias = Callable[[int], Pixels]
"""The pixels of one frame as rows, columns and, where there are several, samples; called from many threads."""

big_pictures: BoundedCache[Pixels] = BoundedCache(4 * MOST_SAMPLES, weigh=lambda pixels: pixels.nbytes)
"""The big pictures decoded last, so that each is not decoded again for every tile: in files without names, for one of
them may have more bytes than all the memory of caches. The setting ``decoded_pictures`` bounds it."""


def check_size(shape: Ints) -> None:
    """Raise Unreadable where there are no samples or more than the limit."""
    samples = prod(shape)
    if samples > MOST_SAMPLES:
        raise Unreadable(f"a picture of {samples} samples is over the limit of {MOST_SAMPLES}")
    if samples < 1:
        raise Unreadable(f"a picture of {shape[1]} by {shape[0]} pixels has none")


def on_disk(pixels: Pixels) -> Pixels:
    """The same pixels in a file that goes with them; raises Unreadable where there is no room for it."""
    order = np.argsort([-abs(stride) for stride in pixels.strides], kind="stable").tolist()
    rows = np.ascontiguousarray(pixels.transpose(order))
    try:
        with TemporaryFile(prefix="diascope-") as file:
            # Written, not only made so long: a disk that is full is an error here, and ends the process later.
            rows.tofile(file)
            file.flush()
            kept = np.memmap(file, pixels.dtype, "r", shape=rows.shape)
    except OSError as error:
        raise Unreadable(
            f"there is no room for the {pixels.nbytes} bytes of a decoded picture in {gettempdir()}: {error}"
        ) from error
    return np.asarray(kept).transpose(np.argsort(order))


def decoded_level(shape: Ints, dtype: np.dtype[Any], decode: Decode, *, frames: int = 1, scale: float = 1.0) -> Level:
    """A level of the axes t (where there are several frames), c (where the shape has samples), y and x.

    ``shape`` is that of one frame as it is decoded; a frame that turns out to have another raises Unreadable.
    """
    check_size(shape)
    planar = (shape[2], shape[0], shape[1]) if len(shape) > 2 else shape
    nbytes = prod(shape) * dtype.itemsize
    identity = object()

    def checked(frame: int) -> Pixels:
        pixels = decode(frame)
        if pixels.shape != shape or pixels.dtype != dtype:
            raise Unreadable(f"{shape} pixels of {dtype} were decoded as {pixels.shape} of {pixels.dtype}")
        return np.moveaxis(pixels, -1, 0) if len(shape) > 2 else pixels

    def planes(frame: int) -> Pixels:
        if nbytes <= BIG:
            return checked(frame)
        return big_pictures.get((identity, frame), lambda: on_disk(checked(frame)))

    def read_pixels(region: Region) -> Pixels:
        if frames == 1:
            return planes(0)[region.slices]
        taken = [planes(frame)[region.slices[1:]] for frame in range(region.start[0], region.stop[0])]
        return np.stack(taken) if taken else np.empty(region.shape, dtype)

    tiled = (*planar[:-2], *(min(size, TILE) for size in planar[-2:]))
    spacing = (1.0,) * (len(planar) - 2) + (scale, scale)
    leading = 1 if frames > 1 else 0
    return Level(
        shape=(frames,) * leading + planar,
        dtype=dtype,
        chunk_shape=(1,) * leading + (planar if nbytes <= BIG else tiled),
        scale=(1.0,) * leading + spacing,
        translation=(0.0,) * (leading + len(planar)),
        read_pixels=read_pixels,
    )
