"""A box of an image resampled to given distances of pixels, out of the level that fits best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region

ROUNDING = 1e-4
"""Distances that differ by less are the same."""


class Grid(NamedTuple):
    """Positions along each axis: ``origin + k * spacing`` for ``0 <= k < size``, in the axis' unit."""

    origin: tuple[float, ...]
    spacing: tuple[float, ...]
    shape: tuple[int, ...]


def level_for(image: Image, spacing: tuple[float, ...]) -> Level:
    """The coarsest level whose pixels are along no axis farther apart than wanted, or than the finest level's are."""
    finest = image.levels[0].scale
    most = [max(pair) * (1 + ROUNDING) for pair in zip(spacing, finest, strict=True)]
    fits = [level for level in image.levels if all(a <= b for a, b in zip(level.scale, most, strict=True))]
    return fits[-1]


def resampled(image: Image, grid: Grid) -> Pixels:
    """The pixels at the positions of a grid: linear between neighbours, of labels and booleans the nearest.

    Beyond the centres of the outermost pixels the nearest is repeated. The result has the image's dtype, integers
    rounded to the nearest.
    """
    level = level_for(image, grid.spacing)
    nearest = image.kind == "labels" or image.dtype.kind == "b"
    places = [_places(level, grid, d) for d in range(len(grid.shape))]
    start = tuple(int(np.floor(p.min())) for p in places)
    stop = tuple(min(int(np.floor(p.max())) + 2, size) for p, size in zip(places, level.shape, strict=True))
    pixels = level.read(Region(start, stop))
    for axis, (at, first) in enumerate(zip(places, start, strict=True)):
        pixels = _picked(pixels, axis, at - first) if nearest else _blended(pixels, axis, at - first)
    return _rounded(pixels, level.dtype)


def _places(level: Level, grid: Grid, d: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Where the grid's positions lie in the level, in pixels, inside its outermost centres."""
    positions = grid.origin[d] + grid.spacing[d] * np.arange(grid.shape[d])
    return np.asarray(np.clip((positions - level.translation[d]) / level.scale[d], 0, level.shape[d] - 1))


def _picked(pixels: Pixels, axis: int, at: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Pixels:
    # Halfway between two pixels the later one is taken, whatever parity it has.
    nearest = np.minimum(np.floor(at + 0.5).astype(np.int64), pixels.shape[axis] - 1)
    return np.asarray(np.take(pixels, nearest, axis=axis))


def _blended(pixels: Pixels, axis: int, at: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Pixels:
    low = np.floor(at).astype(np.int64)
    part = at - low
    if not part.any():
        return np.take(pixels, low, axis=axis)
    wide = pixels if pixels.dtype.kind in "fc" else pixels.astype(np.float64)
    high = np.minimum(low + 1, pixels.shape[axis] - 1)
    weights = part.reshape([-1 if d == axis else 1 for d in range(pixels.ndim)])
    return np.asarray(np.take(wide, low, axis=axis) * (1 - weights) + np.take(wide, high, axis=axis) * weights)


def _rounded(pixels: Pixels, dtype: np.dtype[np.generic]) -> Pixels:
    if pixels.dtype != dtype and dtype.kind in "iu":
        pixels = np.floor(pixels + 0.5)
    return pixels.astype(dtype, copy=False)
