"""Planes one after another to one plane, in an order that does not depend on where in it a pixel stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Pixels

WIDE: dict[str, Any] = {"b": np.uint64, "u": np.uint64, "i": np.int64, "c": np.complex128}

EXACT = 65_535
"""So many squares of 16 bits, and the square of their sum, are sums of 64 bits."""


Fold: TypeAlias = Callable[[Iterator[Pixels], np.dtype[Any]], Pixels]
"""Slabs of planes, the axis first, and the type of the result to one plane."""


def result_type(image: Image, method: str) -> np.dtype[Any]:
    """The type that a method gives."""
    dtype = image.dtype
    if method in {"max", "min", "edf"} or (method in {"mean", "median"} and (image.kind == "rgb" or dtype.kind == "c")):
        return dtype
    if method == "sum":
        return _wide(dtype)
    short = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if short else np.float64)


def largest(slabs: Iterator[Pixels], dtype: np.dtype[Any]) -> Pixels:
    """The largest; NaN is passed over."""
    return _extreme(slabs, dtype, np.fmax)


def smallest(slabs: Iterator[Pixels], dtype: np.dtype[Any]) -> Pixels:
    """The smallest; NaN is passed over."""
    return _extreme(slabs, dtype, np.fmin)


def _extreme(slabs: Iterator[Pixels], dtype: np.dtype[Any], pick: np.ufunc) -> Pixels:
    best: Pixels | None = None
    for slab in slabs:
        # Of floats one plane after another: a reduction may look at zeros of both signs in any order.
        for piece in slab if dtype.kind == "f" else (pick.reduce(slab, axis=0),):
            best = np.array(piece) if best is None else pick(best, piece, out=best)
    return plain(np.asarray(best))


def mean(slabs: Iterator[Pixels], dtype: np.dtype[Any]) -> Pixels:
    """The mean; where the result is of integers rounded, halves upwards."""
    total, seen = _total(slabs)
    if dtype.kind in "ui":
        return ((2 * total + seen) // (2 * seen)).astype(dtype)
    return plain((total / seen).astype(dtype))


def total(slabs: Iterator[Pixels], dtype: np.dtype[Any], count: int) -> Pixels:
    """The sum of so many planes, were the others as those that there are."""
    found, seen = _total(slabs)
    if seen == count:
        return plain(found)
    if dtype.kind in "ui":
        each, rest = np.divmod(found, seen)
        return np.asarray(each * count + (2 * rest * count + seen) // (2 * seen)).astype(dtype)
    return plain(found * (count / seen))


def _total(slabs: Iterator[Pixels]) -> tuple[Pixels, int]:
    found: Pixels | None = None
    seen = 0
    for slab in slabs:
        if found is None:
            found = np.zeros(slab.shape[1:], _wide(slab.dtype))
        short = slab.dtype.kind in "iu" and slab.dtype.itemsize <= 2 and len(slab) <= EXACT
        if slab.dtype.kind in "biu":
            found += np.add.reduce(slab, axis=0, dtype=f"{slab.dtype.kind}4" if short else found.dtype)
        else:
            for plane in slab:
                found += plane
        seen += len(slab)
    return np.asarray(found), seen


def deviation(slabs: Iterator[Pixels], dtype: np.dtype[Any]) -> Pixels:
    """The standard deviation of all the planes, not of a sample."""
    first = next(slabs)
    short = first.dtype.kind in "biu" and first.dtype.itemsize <= 2
    return plain((_short if short else _welford)(_planes(first, slabs)).astype(dtype))


def _planes(first: Pixels, slabs: Iterator[Pixels]) -> Iterator[Pixels]:
    yield from first
    for slab in slabs:
        yield from slab


def _short(planes: Iterator[Pixels]) -> Pixels:
    """Of 16 bits: out of exact sums, of many planes out of sums of exact sums."""
    plane = next(planes)
    wide = _wide(plane.dtype)
    done: list[Any] = [0, np.zeros(plane.shape), np.zeros(plane.shape)]
    seen, sums, squares = 0, np.zeros(plane.shape, wide), np.zeros(plane.shape, wide)
    while True:
        values = plane.astype(f"{wide.kind}4")
        sums += values
        squares += values * values
        seen += 1
        following = next(planes, None)
        if following is None or seen == EXACT:
            deviations = (seen * squares - sums * sums) / np.float64(seen)
            done = _together(done, [seen, sums / seen, deviations])
            seen, sums, squares = 0, np.zeros_like(sums), np.zeros_like(squares)
        if following is None:
            return np.asarray(np.sqrt(done[2] / done[0]))
        plane = following


def _together(one: list[Any], other: list[Any]) -> list[Any]:
    """Number, mean and sum of squared deviations of two sets (Chan, Golub, LeVeque 1979)."""
    count = one[0] + other[0]
    away = other[1] - one[1]
    mean = one[1] + away * (other[0] / count)
    return [count, mean, one[2] + other[2] + away * away * (one[0] * other[0] / count)]


def _welford(planes: Iterator[Pixels]) -> Pixels:
    """Of anything else (Welford 1962)."""
    plane = next(planes)
    seen, middle, squares = 1, plane.astype(np.float64), np.zeros(plane.shape)
    squares += middle - middle  # Infinity and NaN have no deviation, even where they are alone.
    for plane in planes:
        seen += 1
        away = plane - middle
        middle += away / seen
        squares += away * (plane - middle)
    return np.asarray(np.sqrt(squares / seen))


def median(slabs: Iterator[Pixels], dtype: np.dtype[Any]) -> Pixels:
    """The middle one, or the mean of the two in the middle; NaN where there is a NaN. It holds all the planes."""
    planes: Pixels = np.concatenate(list(slabs))
    half = len(planes) // 2
    low = half - 1 + len(planes) % 2
    planes.partition(sorted({low, half, len(planes) - 1}), axis=0)
    found: Pixels = (planes[low].astype(np.float64) + planes[half].astype(np.float64)) / 2
    if dtype.kind in "ui":
        return np.floor(found + 0.5).astype(dtype)
    found[planes[-1] != planes[-1]] = np.nan
    return plain(found.astype(dtype))


def plain(pixels: Pixels) -> Pixels:
    """The same values with one zero and one NaN: which of several comes out of a sum is nobody's promise."""
    if pixels.dtype.kind == "f":
        pixels = np.asarray(pixels + pixels.dtype.type(0))
        pixels[np.isnan(pixels)] = np.nan
    return pixels


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    wide: np.dtype[Any] = np.dtype(WIDE.get(dtype.kind, np.float64))
    return wide


FOLDS: dict[str, Fold] = {
    "max": largest,
    "min": smallest,
    "mean": mean,
    "std": deviation,
    "median": median,
}
"""Those that need not know more than the planes."""
