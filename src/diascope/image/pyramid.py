"""Levels that a source lacks, made on demand out of the finer ones, a chunk at a time.

Bins of two keep the half pixel: the centre of a bin lies half a fine pixel after the centre of its first pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from math import prod
from typing import TypeAlias

from diascope.bounded import Part, reader_cache
from diascope.image.axes import Axis
from diascope.image.cache import cached_level, held_bytes
from diascope.image.halving import means, modes
from diascope.image.image import Image, Kind
from diascope.image.level import Level, Pixels, assembled
from diascope.image.region import Ints, Region, chunk_region, touched
from diascope.image.stored import kept_inside, stored_as

Keep: TypeAlias = Callable[[Level, Hashable], Level]
"""Wraps a made level, of this name within its image, in a cache."""

SMALL = 256
"""A level of at most this many rows and columns needs no coarser one."""

TOLERANCE = 0.01
"""By how much a stored level may miss the factor of two: slide scanners round sizes down."""

CHEAP_CHUNK = 1 << 16
"""How many pixels a chunk of a made level has at least, unless the level is smaller."""


_made: Part[Pixels] = Part(reader_cache, weigh=held_bytes)


def remembered(level: Level, _: Hashable) -> Level:
    """A made level whose chunks are kept for as long as anybody reads it: the next coarser one is made of them."""
    return cached_level(level, _made, object())


def uncached(level: Level, _: Hashable) -> Level:
    return level


def with_pyramid(image: Image, keep: Keep = uncached) -> Image:
    """The same image with made levels after those it has, until rows and columns are at most 256.

    Rows and columns are halved, and planes too while their known spacing is less than twice that of the rows.
    """
    levels = list(image.levels)
    while max(levels[-1].shape[-2:]) > SMALL:
        factors = binning(image.axes, levels[-1])
        made = halved(levels[-1], factors, image.kind)
        levels.append(keep(made, f"made-{len(levels)}"))
    return replace(image, levels=tuple(levels))


def binning(axes: tuple[Axis, ...], level: Level) -> Ints:
    """By how much the next coarser level is reduced along each axis: 1 or 2."""
    in_plane = [k for k, axis in enumerate(axes) if axis.name in "yx"]
    spacing = min(level.scale[k] for k in in_plane)
    factors = [1] * len(axes)
    for k, axis in enumerate(axes):
        calibrated = axis.name == "z" and axis.unit is not None and level.scale[k] < 2 * spacing
        if level.shape[k] > 1 and (k in in_plane or calibrated):
            factors[k] = 2
    return tuple(factors)


def halved(finer: Level, factors: Ints, kind: Kind) -> Level:
    """The level of half the size along the axes whose factor is 2; odd sizes are rounded up."""
    shape = tuple(-(-size // factor) for size, factor in zip(finer.shape, factors, strict=True))
    reduced = modes if kind == "labels" else means
    grid = Level(
        shape=shape,
        dtype=finer.dtype,
        chunk_shape=_made_chunk_shape(finer.chunk_shape, shape),
        scale=tuple(scale * factor for scale, factor in zip(finer.scale, factors, strict=True)),
        translation=tuple(
            at + (factor - 1) / 2 * scale
            for at, scale, factor in zip(finer.translation, finer.scale, factors, strict=True)
        ),
        read_pixels=finer.read_pixels,
        cost=finer.cost * prod(factors),
    )

    def piece(index: Ints) -> tuple[Region, Pixels]:
        box = chunk_region(index, grid.chunk_shape).clipped(shape)
        return box, reduced(finer.read(scaled(box, factors).clipped(finer.shape)), factors)

    def read_pixels(region: Region) -> Pixels:
        return assembled(grid, region, map(piece, touched(region, grid.chunk_shape)))

    # A level that its own reader knew would be a circle, which holds files open until circles are looked for.
    return replace(grid, read_pixels=read_pixels)


def dyadic(image: Image, axes: str = "yx", keep: Keep = remembered) -> Image:
    """The same image with level k reduced by exactly 2**k along these axes, down to a single pixel.

    Sizes are rounded up at each step. Stored levels that have such a factor, within a per cent, are used, with their
    last pixel repeated where they were rounded down; the others are made.
    """
    factors = tuple(2 if axis.name in axes else 1 for axis in image.axes)
    levels = [image.levels[0]]
    while any(size > 1 for size, factor in zip(levels[-1].shape, factors, strict=True) if factor > 1):
        stored = _stored_level(image, factors, len(levels))
        made = halved(levels[-1], factors, image.kind)
        level = fitted(stored, made) if stored else keep(made, f"dyadic-{axes}-{len(levels)}")
        levels.append(level)
    return replace(image, levels=tuple(levels))


def _stored_level(image: Image, factors: Ints, power: int) -> Level | None:
    """The level whose pixels are ``2**power`` times as far apart as the finest ones along the axes with a factor."""
    return next((level for level in image.levels[1:] if _is_binned(level, image.levels[0], factors, power)), None)


def _is_binned(level: Level, finest: Level, factors: Ints, power: int) -> bool:
    """Whether a level lies where the finest one does when it is binned so, to a hundredth of its pixels or a size."""
    for d, factor in enumerate(factors):
        by = factor**power
        if abs(level.scale[d] / (by * finest.scale[d]) - 1) >= TOLERANCE:
            return False
        if abs(level.shape[d] + finest.shape[d] // -by) > 1:
            return False
        # Formats disagree whether pixel 0 lies at its corner or its centre, so two shifts are right, and those between.
        shift = (level.translation[d] - finest.translation[d]) / finest.scale[d]
        if not -TOLERANCE * by <= shift <= (by - 1) / 2 + TOLERANCE * by:
            return False
    return True


def fitted(stored: Level, like: Level) -> Level:
    """The stored level with the shape and place of another, from which it differs by at most a pixel."""
    if stored.shape == like.shape:
        return stored

    def read_pixels(region: Region) -> Pixels:
        inside = _last_repeated(region, stored.shape)
        pixels = stored.read(inside)
        for axis, (wanted, have) in enumerate(zip(region.shape, inside.shape, strict=True)):
            if wanted > have:
                pixels = pixels.repeat([1] * (have - 1) + [1 + wanted - have], axis=axis)
        return pixels

    level = replace(like, chunk_shape=stored.chunk_shape, read_pixels=read_pixels, cost=stored.cost)
    return stored_as(level, stored.stored and kept_inside(stored.stored, stored, level))


def _last_repeated(region: Region, shape: Ints) -> Region:
    """The part of a region inside the shape, at least the last pixel along each axis."""
    start = tuple(min(s, size - 1) for s, size in zip(region.start, shape, strict=True))
    return Region(start, tuple(max(s + 1, min(t, n)) for s, t, n in zip(start, region.stop, shape, strict=True)))


def scaled(region: Region, factors: Ints) -> Region:
    """The pixels that a region of the level reduced by these factors is made of; it may reach over the edges."""
    start = tuple(i * factor for i, factor in zip(region.start, factors, strict=True))
    return Region(start, tuple(i * factor for i, factor in zip(region.stop, factors, strict=True)))


def _made_chunk_shape(chunk_shape: Ints, shape: Ints) -> Ints:
    """The finer level's chunks, grown along their shorter side until one is worth a look-up."""
    chunk = [min(c, size) for c, size in zip(chunk_shape, shape, strict=True)]
    rank = len(chunk)
    while chunk[-1] * chunk[-2] < CHEAP_CHUNK and (chunk[-1] < shape[-1] or chunk[-2] < shape[-2]):
        order = sorted((rank - 2, rank - 1), key=lambda d: (chunk[d] >= shape[d], chunk[d]))
        chunk[order[0]] = min(2 * chunk[order[0]], shape[order[0]])
    return tuple(max(c, 1) for c in chunk)
