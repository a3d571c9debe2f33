"""The compiled loops of maps that bend space.

A position depends on itself alone, through sums and products in a fixed order, so that it is the same in every tile.
The logarithm is worked out here, since libraries have another one for several numbers at once than for one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diascope.image.kernels import between, compiled

BLOCK = 256
"""So many positions go together, as fits the nearest cache."""

MANTISSA = (1 << 52) - 1
ONE = 1023 << 52
HALF_UP = 0x95F61 << 32
"""What makes a mantissa above the square root of 2 run over."""
WHOLE = 0x433 << 52
"""The bits of 2**52, in whose last ones a small integer stands."""
BIAS = 2.0**52 + 1023.0

LN2 = math.log(2.0)


@compiled
def logarithms(numbers: Any, bits: Any, exponents: Any, exponent_bits: Any) -> None:
    """The natural logarithm of each positive number in its place; 0 becomes a finite number.

    ``bits`` and ``exponent_bits`` are the other arrays' memory as integers. The series is that of fdlibm's e_log.c:
    log(1+f) = 2 artanh(s), s = f / (2+f), for 1+f about 1.
    """
    for i in range(numbers.shape[0]):
        # The exponent counts one more where the mantissa is above the root of 2, which then is halved.
        over = (bits[i] & MANTISSA) + HALF_UP
        exponent_bits[i] = ((bits[i] >> 52) + (over >> 52)) | WHOLE
        bits[i] = ((bits[i] & MANTISSA) | ONE) - (over & ~MANTISSA)
    for i in range(numbers.shape[0]):
        f = numbers[i] - 1.0
        s = f / (2.0 + f)
        z = s * s
        w = z * z
        even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
        odd = z * (
            0.6666666666666735130
            + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591))
        )
        numbers[i] = (exponents[i] - BIAS) * LN2 + (2.0 * s + s * (even + odd))


@compiled
def splined(positions: Any, moved: Any, centres: Any, weights: Any, per_length: float, axes: int) -> None:
    """Fill in each position (n, 3) plus the sum of all weights, each times r² log r of the distance from its centre."""
    places, sums = np.empty((3, BLOCK)), np.empty((3, BLOCK))
    square, logs, exponents = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    bits, exponent_bits = logs.view(np.int64), exponents.view(np.int64)
    for begin in range(0, positions.shape[0], BLOCK):
        count = min(BLOCK, positions.shape[0] - begin)
        for i in range(BLOCK):
            # What fills up the last block is not looked at.
            at = begin + min(i, count - 1)
            for axis in range(3):
                places[axis, i] = positions[at, axis] * per_length
                sums[axis, i] = 0.0
        for k in range(centres.shape[0]):
            x, y, z = centres[k, 0], centres[k, 1], centres[k, 2]
            for i in range(BLOCK):
                dx, dy = places[0, i] - x, places[1, i] - y
                square[i] = dx * dx + dy * dy
            if axes == 3:
                for i in range(BLOCK):
                    dz = places[2, i] - z
                    square[i] += dz * dz
            for i in range(BLOCK):
                logs[i] = square[i]
            logarithms(logs, bits, exponents, exponent_bits)
            for i in range(BLOCK):
                logs[i] *= 0.5 * square[i]
            for axis in range(axes):
                weight = weights[k, axis]
                for i in range(BLOCK):
                    sums[axis, i] += weight * logs[i]
        for i in range(count):
            for axis in range(3):
                moved[begin + i, axis] = positions[begin + i, axis] + sums[axis, i]


@compiled
def straight(positions: Any, moved: Any, matrix: Any) -> None:
    """Fill in each position (n, 3) times a matrix, without its terms that are 0."""
    for i in range(positions.shape[0]):
        for axis in range(3):
            total = matrix[axis, 3]
            for k in range(3):
                if matrix[axis, k] != 0.0:
                    total += matrix[axis, k] * positions[i, k]
            moved[i, axis] = total


@compiled
def ends_of(places: Any, limits: Any) -> Any:
    """The lowest and the highest along each of three axes, of places (3, n) that are finite and within limits.

    These are how far below 0 a place may lie, and below what it must lie. Without any, the lowest are the higher ones.
    """
    ends = np.empty((2, 3))
    ends[0], ends[1] = np.inf, -np.inf
    for i in range(places.shape[1]):
        within = True
        for axis in range(3):
            at = places[axis, i]
            within &= math.isfinite(at) and -limits[0, axis] <= at < limits[1, axis]
        if within:
            for axis in range(3):
                ends[0, axis] = min(ends[0, axis], places[axis, i])
                ends[1, axis] = max(ends[1, axis], places[axis, i])
    return ends


@compiled
def across_plane(plane: Any, x: int, y: int, dx: int, dy: int, px: float, py: float) -> float:
    """The value between four neighbours of a plane."""
    upper = between(float(plane[y, x]), float(plane[y, x + dx]), px)
    lower = between(float(plane[y + dy, x]), float(plane[y + dy, x + dx]), px)
    return between(upper, lower, py)


@compiled
def displaced(places: Any, moved: Any, vectors: Any, first: Any, size: Any, signs: Any, clamped: bool) -> None:
    """Add to each position (n, 3) the vector at its place, an index x, y and z in the field; none outside.

    ``vectors`` are (c, z, y, x), of which the first has the index ``first``, x, y and z, in a field of this size.
    """
    low, step, part = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3)
    for i in range(places.shape[0]):
        within = True
        for axis in range(3):
            at = places[i, axis]
            if clamped:
                within &= math.isfinite(at)
            else:
                within &= -0.5 <= at < size[axis] - 0.5
            if not within:
                break
            at = min(max(at, 0.0), size[axis] - 1.0)
            low[axis] = np.int64(math.floor(at))
            part[axis] = at - low[axis]
            step[axis] = 1 if low[axis] + 1 < size[axis] else 0
            low[axis] -= first[axis]
        if not within:
            continue
        x, y, z = low[0], low[1], low[2]
        for c in range(vectors.shape[0]):
            front = across_plane(vectors[c, z], x, y, step[0], step[1], part[0], part[1])
            behind = across_plane(vectors[c, z + step[2]], x, y, step[0], step[1], part[0], part[1])
            moved[i, c] += signs[c] * between(front, behind, part[2])


@compiled
def line_between(line: Any, vectors: Any, first: Any, size: Any, y: float, z: float, clamped: bool) -> bool:
    """Fill in the vectors (c, x) at a place between the field's rows; whether it lies in the field."""
    if not clamped and not (-0.5 <= y < size[1] - 0.5 and -0.5 <= z < size[2] - 0.5):
        return False
    y, z = min(max(y, 0.0), size[1] - 1.0), min(max(z, 0.0), size[2] - 1.0)
    j, k = np.int64(math.floor(y)), np.int64(math.floor(z))
    py, pz = y - j, z - k
    down, deep = 1 if j + 1 < size[1] else 0, 1 if k + 1 < size[2] else 0
    j, k = j - first[1], k - first[2]
    for c in range(line.shape[0]):
        for i in range(line.shape[1]):
            front = between(float(vectors[c, k, j, i]), float(vectors[c, k, j + down, i]), py)
            behind = between(float(vectors[c, k + deep, j, i]), float(vectors[c, k + deep, j + down, i]), py)
            line[c, i] = between(front, behind, pz)
    return True


@compiled
def add_line(moved: Any, line: Any, index: Any, begin: float, x: float, size: int, first: int, signs: Any,
             clamped: bool) -> None:  # fmt: skip
    """Add to the positions of a row (3, x) the vectors between those of a line; the row's first pixel is at ``x``."""
    for i in range(moved.shape[1]):
        at = index[0, 0] * (x + float(i)) + begin
        if not clamped and not (-0.5 <= at < size - 0.5):
            continue
        at = min(max(at, 0.0), size - 1.0)
        low = np.int64(math.floor(at))
        part, step = at - low, 1 if low + 1 < size else 0
        low -= first
        for c in range(line.shape[0]):
            moved[c, i] += signs[c] * between(line[c, low], line[c, low + step], part)


@compiled
def displaced_rows(
    places: Any, start: Any, before: Any, index: Any, after: Any, vectors: Any, first: Any, size: Any, signs: Any,
    clamped: bool,
) -> None:  # fmt: skip
    """Fill in where a field takes the pixels of a grid (3, z, y, x) from ``start``, x, y and z, on.

    Matrices lead from the grid's indices to positions and to indices in the field, of which that along x alone changes
    along a row, and from moved positions to places. No vectors at all are those of a grid outside the field.
    """
    width = places.shape[3]
    moved, line = np.empty((3, width)), np.empty((vectors.shape[0], vectors.shape[3]))
    for k in range(places.shape[1]):
        for j in range(places.shape[2]):
            y, z = start[1] + float(j), start[2] + float(k)
            for axis in range(3):
                begin = before[axis, 1] * y + before[axis, 2] * z + before[axis, 3]
                for i in range(width):
                    moved[axis, i] = before[axis, 0] * (start[0] + float(i)) + begin
            there = np.empty(3)
            for axis in range(3):
                there[axis] = index[axis, 1] * y + index[axis, 2] * z + index[axis, 3]
            if vectors.size and line_between(line, vectors, first, size, there[1], there[2], clamped):
                add_line(moved, line, index, there[0], start[0], size[0], first[0], signs, clamped)
            for axis in range(3):
                for i in range(width):
                    places[2 - axis, k, j, i] = after[axis, 3]
                for by in range(3):
                    if after[axis, by] != 0.0:
                        for i in range(width):
                            places[2 - axis, k, j, i] += after[axis, by] * moved[by, i]
