"""The compiled loops of resampling: pixels between pixels, of planes and volumes, in double precision.

A pixel of the result depends on its global indices alone, through sums and products in a fixed order that the compiler
may neither fuse nor reorder, so that it is the same in every tile. The interpreter's lock is released. Compiled code is
kept on disk; without it the first call for a type of pixels takes a second.

All loops take the same arguments:

* ``source`` and ``strides``: pixels in a flat array, and their distances in it along p, z, y and x. The p planes or
  volumes share their coordinates.
* ``box``: the size of the source's whole level along z, y and x, and the first index along each that was read.
* ``out``: (p, z, y, x), filled with what stands where there is no source.
* ``matrix``, ``slabs``, ``start``: pixel (z, y, x) of ``out`` has the index start + (z, y, x) in the result, and lies
  at ``matrix`` times (index, 1) in the source, where low <= a z + b y + c x + d <= high in each of the ``slabs``.
* ``field``: (3, z, y, x), those places themselves, NaN being nowhere; empty where the matrix is to be taken.
* ``limits``: the lowest and highest integer, between which values are rounded, halves upwards; NaN of floats.

Inside is what lies in a pixel, up to its edge; beyond the centres of the outermost pixels these are repeated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

SNAP = 1e-6
"""In pixels: what lies so near a pixel's centre or edge lies on it, so that whole pixels moved are copies."""


def compiled(function: F) -> F:
    """The function as machine code; without a folder that can be written to it is compiled in every process."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        made: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        made = numba.njit(**options)(function)
    return made


@compiled
def place_row(coordinates: Any, matrix: Any, slabs: Any, start: Any, field: Any, k: int, j: int) -> None:
    """Fill in where the pixels of a row lie in the source, NaN beyond a slab."""
    if field.shape[1]:
        for axis in range(3):
            for i in range(coordinates.shape[1]):
                coordinates[axis, i] = field[axis, k, j, i]
        return
    z, y = float(start[0] + k), float(start[1] + j)
    for axis in range(3):
        low, step, shift = matrix[axis, 0] * z + matrix[axis, 1] * y, matrix[axis, 2], matrix[axis, 3]
        for i in range(coordinates.shape[1]):
            coordinates[axis, i] = low + step * float(start[2] + i) + shift
    for i in range(coordinates.shape[1] if slabs.shape[0] else 0):
        x = float(start[2] + i)
        for s in range(slabs.shape[0]):
            at = slabs[s, 0] * z + slabs[s, 1] * y + slabs[s, 2] * x + slabs[s, 3]
            if not slabs[s, 4] <= at <= slabs[s, 5]:
                coordinates[2, i] = np.nan


@compiled
def inside(at: float, size: int) -> bool:
    """Whether a place lies in a pixel; NaN does not."""
    return -0.5 - SNAP <= at <= size - 0.5 + SNAP


@compiled
def weigh_row(coordinates: Any, box: Any, strides: Any, first: int, offsets: Any, parts: Any, kinds: Any) -> None:
    """Fill in, for the axes from the first on, the offsets of the pixels before each place, and how far behind it lies.

    Kinds are 0 outside, 1 beside an edge, where a neighbour is missing, and 2 where all neighbours are there. These are
    plain loops over floats, which compilers vectorise.
    """
    for i in range(kinds.shape[0]):
        offsets[i] = 0.0
        kinds[i] = 2
    for axis in range(first, 3):
        stride, begin, last = float(strides[axis + 1]), float(box[1, axis]), float(box[0, axis] - 1)
        lowest, highest = -0.5 - SNAP, last + 0.5 + SNAP
        for i in range(kinds.shape[0]):
            at = coordinates[axis, i]
            low = math.floor(at + SNAP)
            part = at - low
            parts[axis, i] = part if part > SNAP else 0.0
            offsets[i] += (low - begin) * stride
            kind = np.uint8((at >= lowest) & (at <= highest)) + np.uint8((low >= 0) & (low < last))
            kinds[i] = min(kinds[i], kind)


@compiled
def split(at: float, box: Any, axis: int, stride: int) -> tuple[Any, Any, float]:
    """Beside an edge: the offset of the pixel before a place, the way to the next one, and how far between they are."""
    low = math.floor(at + SNAP)
    part = at - low
    first: Any = np.int64(low)
    if part <= SNAP or first < 0 or first >= box[0, axis] - 1:
        first = min(max(first, 0), box[0, axis] - 1)
        return np.uint64((first - box[1, axis]) * stride), np.uint64(0), 0.0
    return np.uint64((first - box[1, axis]) * stride), np.uint64(stride), part


@compiled
def between(low: float, high: float, part: float) -> float:
    """What lies between two values; a neighbour of no weight does not count, even where it is no number."""
    return low if part == 0.0 else low * (1.0 - part) + high * part


@compiled
def rounded(value: Any, limits: Any) -> Any:
    # NaN is no limit.
    if limits[0] == limits[0]:
        return min(max(math.floor(value + 0.5), limits[0]), limits[1])
    return value


@compiled
def inner(kinds: Any) -> Any:
    """From which place of a row on, up to which, the first ones follow each other that have all their neighbours."""
    total, width = 0, kinds.shape[0]
    for i in range(width):
        total += kinds[i]
    if total == 2 * width:
        return 0, width
    low = 0
    while low < width and kinds[low] != 2:
        low += 1
    high = low
    while high < width and kinds[high] == 2:
        high += 1
    return low, high


@compiled
def corners(
    source: Any, begin: Any, box: Any, strides: Any, coordinates: Any, parts: Any, kinds: Any, found: Any,
    low: int, high: int,
) -> None:  # fmt: skip
    """Fill in the pixels about the places of a row but those from low to high, where some may be missing.

    Of places beside an edge the parts are filled in anew; of those outside nothing is found.
    """
    deep = found.shape[0] == 8
    for i in range(kinds.shape[0]):
        if kinds[i] == 0 or low <= i < high:
            continue
        dz, at = np.uint64(0), begin
        if deep:
            az, dz, parts[0, i] = split(coordinates[0, i], box, 0, strides[1])
            at += az
        ay, dy, parts[1, i] = split(coordinates[1, i], box, 1, strides[2])
        ax, dx, parts[2, i] = split(coordinates[2, i], box, 2, strides[3])
        at += ay + ax
        for k in range(4):
            place = at + np.uint64(k & 1) * dx + np.uint64(k >> 1) * dy
            found[k, i] = source[place]
            if deep:
                found[4 + k, i] = source[place + dz]


@compiled
def put_row(values: Any, kinds: Any, limits: Any, out: Any, low: int, high: int) -> None:
    """Write the values of a row that are inside, rounded; those from low to high are."""
    # NaN is no limit.
    if limits[0] == limits[0]:
        least, most = limits[0], limits[1]
        for i in range(values.shape[0]):
            values[i] = min(max(math.floor(values[i] + 0.5), least), most)
    for i in range(np.uint64(low), np.uint64(high)):
        out[i] = values[i]
    for i in range(values.shape[0] if high - low < values.shape[0] else 0):
        if kinds[i]:
            out[i] = values[i]


@compiled
def linear_planes(
    source: Any, strides: Any, box: Any, out: Any, matrix: Any, slabs: Any, start: Any, field: Any, limits: Any
) -> None:
    """As ``linear_volumes``, without neighbours in other planes."""
    width = out.shape[3]
    coordinates, parts, found = np.empty((3, width)), np.empty((3, width)), np.empty((4, width), source.dtype)
    offsets, kinds, values = np.empty(width), np.empty(width, np.uint8), np.empty(width)
    down, right = np.uint64(strides[2]), np.uint64(strides[3])
    a, b, c, d, py, px = found[0], found[1], found[2], found[3], parts[1], parts[2]
    for k in range(out.shape[1]):
        for j in range(out.shape[2]):
            place_row(coordinates, matrix, slabs, start, field, k, j)
            weigh_row(coordinates, box, strides, 1, offsets, parts, kinds)
            low, high = inner(kinds)
            for p in range(out.shape[0]):
                begin = np.uint64(p * strides[0])
                # An index without a sign cannot be negative, for which each look would be checked.
                for i in range(np.uint64(low), np.uint64(high)):
                    at = begin + np.uint64(np.int64(offsets[i]))
                    a[i], b[i] = source[at], source[at + right]
                    c[i], d[i] = source[at + down], source[at + down + right]
                if high - low < width:
                    corners(source, begin, box, strides, coordinates, parts, kinds, found, low, high)
                for i in range(width):
                    upper = between(float(a[i]), float(b[i]), px[i])
                    values[i] = between(upper, between(float(c[i]), float(d[i]), px[i]), py[i])
                put_row(values, kinds, limits, out[p, k, j], low, high)


@compiled
def linear_volumes(
    source: Any, strides: Any, box: Any, out: Any, matrix: Any, slabs: Any, start: Any, field: Any, limits: Any
) -> None:
    """The pixels about the places of a row are first brought together, then all places are weighed at once.

    What is read one by one would else keep the compiler from working on several places together.
    """
    width = out.shape[3]
    coordinates, parts, found = np.empty((3, width)), np.empty((3, width)), np.empty((8, width), source.dtype)
    offsets, kinds, values = np.empty(width), np.empty(width, np.uint8), np.empty(width)
    deep, down, right = np.uint64(strides[1]), np.uint64(strides[2]), np.uint64(strides[3])
    a, b, c, d, e, f, g, h = found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7]
    pz, py, px = parts[0], parts[1], parts[2]
    for k in range(out.shape[1]):
        for j in range(out.shape[2]):
            place_row(coordinates, matrix, slabs, start, field, k, j)
            weigh_row(coordinates, box, strides, 0, offsets, parts, kinds)
            low, high = inner(kinds)
            for p in range(out.shape[0]):
                begin = np.uint64(p * strides[0])
                # An index without a sign cannot be negative, for which each look would be checked.
                for i in range(np.uint64(low), np.uint64(high)):
                    at = begin + np.uint64(np.int64(offsets[i]))
                    a[i], b[i] = source[at], source[at + right]
                    c[i], d[i] = source[at + down], source[at + down + right]
                    at += deep
                    e[i], f[i] = source[at], source[at + right]
                    g[i], h[i] = source[at + down], source[at + down + right]
                if high - low < width:
                    corners(source, begin, box, strides, coordinates, parts, kinds, found, low, high)
                for i in range(width):
                    upper = between(float(a[i]), float(b[i]), px[i])
                    front = between(upper, between(float(c[i]), float(d[i]), px[i]), py[i])
                    upper = between(float(e[i]), float(f[i]), px[i])
                    behind = between(upper, between(float(g[i]), float(h[i]), px[i]), py[i])
                    values[i] = between(front, behind, pz[i])
                put_row(values, kinds, limits, out[p, k, j], low, high)


@compiled
def keys(at: float, box: Any, axis: int, stride: int, offsets: Any, weights: Any) -> None:
    """Fill in the offsets and weights of the four pixels about a place (Keys 1981, a = -1/2).

    https://doi.org/10.1109/TASSP.1981.1163711
    """
    low = math.floor(at + SNAP)
    part = max(at - low, 0.0) if at - low > SNAP else 0.0
    weights[axis, 0] = ((-0.5 * part + 1.0) * part - 0.5) * part
    weights[axis, 1] = (1.5 * part - 2.5) * part * part + 1.0
    weights[axis, 2] = ((-1.5 * part + 2.0) * part + 0.5) * part
    weights[axis, 3] = (0.5 * part - 0.5) * part * part
    for tap in range(4):
        index = min(max(np.int64(low) - 1 + tap, 0), box[0, axis] - 1)
        # What has no weight need not have been read.
        offsets[axis, tap] = np.uint64((index - box[1, axis]) * stride if weights[axis, tap] != 0.0 else 0)


@compiled
def cubic(
    source: Any, strides: Any, box: Any, out: Any, matrix: Any, slabs: Any, start: Any, field: Any, limits: Any,
    axes: int,
) -> None:  # fmt: skip
    """Of volumes where ``axes`` is 3, of planes where it is 2."""
    coordinates = np.empty((3, out.shape[3]))
    offsets, weights = np.zeros((3, 4), np.uint64), np.ones((3, 4))
    depth = 4 if axes == 3 else 1
    for k in range(out.shape[1]):
        for j in range(out.shape[2]):
            place_row(coordinates, matrix, slabs, start, field, k, j)
            for i in range(out.shape[3]):
                within = True
                for axis in range(3 - axes, 3):
                    within &= inside(coordinates[axis, i], box[0, axis])
                if not within:
                    continue
                for axis in range(3 - axes, 3):
                    keys(coordinates[axis, i], box, axis, strides[axis + 1], offsets, weights)
                for p in range(out.shape[0]):
                    total = 0.0
                    for a in range(depth):
                        for b in range(4):
                            weight = weights[0, a] * weights[1, b]
                            if weight == 0.0:
                                continue
                            at = np.uint64(p * strides[0]) + offsets[0, a] + offsets[1, b]
                            for c in range(4):
                                if weights[2, c] != 0.0:
                                    total += weight * weights[2, c] * float(source[at + offsets[2, c]])
                    out[p, k, j, i] = rounded(total, limits)


@compiled
def pick_row(coordinates: Any, box: Any, strides: Any, first: int, offsets: Any, kinds: Any) -> None:
    """Fill in the offsets of the nearest pixels, halfway between two the later one; kinds are 0 outside."""
    for i in range(kinds.shape[0]):
        offsets[i] = 0.0
        kinds[i] = 1
    for axis in range(first, 3):
        stride, begin, last = float(strides[axis + 1]), float(box[1, axis]), float(box[0, axis] - 1)
        lowest, highest = -0.5 - SNAP, last + 0.5 + SNAP
        for i in range(kinds.shape[0]):
            at = coordinates[axis, i]
            index = min(max(math.floor(at + 0.5 + SNAP), 0.0), last)
            offsets[i] += (index - begin) * stride
            kinds[i] = min(kinds[i], np.uint8((at >= lowest) & (at <= highest)))


@compiled
def nearest(
    source: Any, strides: Any, box: Any, out: Any, matrix: Any, slabs: Any, start: Any, field: Any, axes: int
) -> None:
    """Of volumes where ``axes`` is 3, of planes where it is 2."""
    width = out.shape[3]
    coordinates, offsets, kinds = np.empty((3, width)), np.empty(width), np.empty(width, np.uint8)
    for k in range(out.shape[1]):
        for j in range(out.shape[2]):
            place_row(coordinates, matrix, slabs, start, field, k, j)
            pick_row(coordinates, box, strides, 3 - axes, offsets, kinds)
            for p in range(out.shape[0]):
                begin = np.uint64(p * strides[0])
                for i in range(width):
                    if kinds[i]:
                        out[p, k, j, i] = source[begin + np.uint64(np.int64(offsets[i]))]
