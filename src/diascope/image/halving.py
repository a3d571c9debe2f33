"""Blocks of pixels reduced to one: means of intensities, modes of labels."""

from __future__ import annotations

from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from diascope.image.level import Pixels
from diascope.image.region import Ints


def means(pixels: Pixels, factors: Ints) -> Pixels:
    """The mean of each block of 1 or 2 pixels along each axis; blocks at the upper edges may be smaller.

    Means of integers are rounded to the nearest, halves upwards; of booleans they are the majority, halves being true.
    """
    if _are_planes(pixels, factors):
        return _quarters(pixels)
    with np.errstate(invalid="ignore", over="ignore"):
        total = _sums(pixels.astype(_wide(pixels.dtype)), factors)
    counts = _counts(pixels.shape, factors)
    if pixels.dtype == np.bool_:
        return total * 2 >= counts
    if pixels.dtype.kind in "iu":
        return ((total * 2 + counts) // (counts * 2)).astype(pixels.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray((total / counts).astype(pixels.dtype))


def modes(pixels: Pixels, factors: Ints) -> Pixels:
    """The most frequent value of each block of 1 or 2 pixels along each axis, of equals the first in C order."""
    members = [_member(pixels, factors, place) for place in product(*map(range, factors))]
    best, best_votes = members[0], _votes(members, members[0])
    for candidate in members[1:]:
        votes = _votes(members, candidate)
        better = votes > best_votes
        best = np.where(better, candidate, best)
        best_votes = np.where(better, votes, best_votes)
    return best


def _are_planes(pixels: Pixels, factors: Ints) -> bool:
    """Whether these are planes of small integers whose blocks all have two rows and two columns."""
    rows, columns = pixels.shape[-2:] if pixels.ndim > 1 else (0, 0)
    in_plane = factors[-2:] == (2, 2) and all(factor == 1 for factor in factors[:-2])
    even = rows % 2 == columns % 2 == 0
    return in_plane and even and pixels.size > 0 and pixels.dtype in (np.uint8, np.uint16)


def _quarters(pixels: Pixels) -> Pixels:
    """The means of such blocks: OpenCV adds two to the sum and drops two bits, many times faster than numpy."""
    rows, columns = pixels.shape[-2:]
    out = np.empty((*pixels.shape[:-2], rows // 2, columns // 2), pixels.dtype)
    for place in np.ndindex(pixels.shape[:-2]):
        plane = np.ascontiguousarray(pixels[place])
        out[place] = cv2.resize(plane, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
    return out


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind in "bu":
        return np.dtype(np.uint64 if dtype.itemsize > 2 else np.uint32)
    if dtype.kind == "i":
        return np.dtype(np.int64 if dtype.itemsize > 2 else np.int32)
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _sums(pixels: Pixels, factors: Ints) -> Pixels:
    for axis, factor in enumerate(factors):
        if factor == 2 and pixels.shape[axis] > 1:
            pixels = _pair_sums(pixels, axis)
    return pixels


def _pair_sums(pixels: Pixels, axis: int) -> Pixels:
    def every(start: int) -> tuple[slice, ...]:
        return tuple(slice(start, None, 2) if d == axis else slice(None) for d in range(pixels.ndim))

    first, second = pixels[every(0)], pixels[every(1)]
    if first.shape == second.shape:
        return np.asarray(first + second)
    total = first.copy()
    total[tuple(slice(0, size) for size in second.shape)] += second
    return np.asarray(total)


def _counts(shape: Ints, factors: Ints) -> NDArray[np.int64] | int:
    """How many pixels each block has, as an integer where all have the same."""
    full = all(factor == 1 or size % 2 == 0 for size, factor in zip(shape, factors, strict=True))
    if full:
        return int(np.prod(factors))
    counts = np.ones((1,) * len(shape), np.int64)
    for axis, (size, factor) in enumerate(zip(shape, factors, strict=True)):
        along = np.full(-(-size // factor), factor, np.int64)
        along[-1] = size - factor * (len(along) - 1)
        counts = counts * along.reshape([-1 if d == axis else 1 for d in range(len(shape))])
    return counts


def _member(pixels: Pixels, factors: Ints, place: Ints) -> Pixels:
    """One pixel of each block; where a smaller block lacks it, its neighbour that is there."""
    picks = [
        np.minimum(np.arange(0, size, factor) + offset, size - 1)
        for size, factor, offset in zip(pixels.shape, factors, place, strict=True)
    ]
    return np.asarray(pixels[np.ix_(*picks)])


def _votes(members: list[Pixels], candidate: Pixels) -> NDArray[np.uint8]:
    return np.asarray(np.sum([member == candidate for member in members], axis=0, dtype=np.uint8))
