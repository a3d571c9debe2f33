"""The compiled loops of medians and of nearest labels; see ``image/kernels.py``.

All are given ``rows``: how far along z and y each row of neighbours lies from the middle, and how far it goes to both
sides along x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.kernels import compiled

FEW = 1000
"""So many neighbours are counted afresh for every bit of a median; more slide in a histogram."""


@compiled
def median_of_few(source: Any, rows: Any, reach: Any, count: int, bits: int, counts: Any, out: Any) -> None:
    """Fill in the medians of ordinals of so many bits: bit by bit from the highest on, for a row of pixels at once.

    A bit is set where no more than half of the neighbours lie below what it makes. ``counts`` are as many numbers as
    a row has pixels; these are plain loops over integers, which compilers vectorise.
    """
    target, width = count // 2, out.shape[3]
    trial = np.empty(width, source.dtype)
    for p in range(out.shape[0]):
        for k in range(out.shape[1]):
            for j in range(out.shape[2]):
                found = out[p, k, j]
                found[:] = 0
                for bit in range(bits - 1, -1, -1):
                    one = source.dtype.type(1 << bit)
                    for i in range(width):
                        trial[i] = found[i] | one
                        counts[i] = 0
                    for r in range(rows.shape[0]):
                        line = source[p, k + reach[0] + rows[r, 0], j + reach[1] + rows[r, 1]]
                        for x in range(reach[2] - rows[r, 2], reach[2] + rows[r, 2] + 1):
                            part = line[x : x + width]
                            for i in range(width):
                                counts[i] += part[i] < trial[i]
                    for i in range(width):
                        if counts[i] <= target:
                            found[i] = trial[i]


@compiled
def median_of_many(source: Any, rows: Any, reach: Any, count: int, highest: int, out: Any) -> None:
    """Fill in the medians of ordinals up to the highest: by a histogram that slides along a row.

    T. Huang, G. Yang, G. Tang, A fast two-dimensional median filtering algorithm (1979).
    """
    fine, coarse = np.zeros(highest + 257, np.int32), np.zeros((highest >> 8) + 2, np.int32)
    target = count // 2
    for p in range(out.shape[0]):
        for k in range(out.shape[1]):
            for j in range(out.shape[2]):
                middle: Any = np.int64(0)
                below: Any = 0
                for i in range(out.shape[3] + 1):
                    for r in range(rows.shape[0]):
                        z, y, w = k + reach[0] + rows[r, 0], j + reach[1] + rows[r, 1], rows[r, 2]
                        at = i + reach[2]
                        if i == out.shape[3]:
                            # Behind the row's end all that is left is taken out.
                            first, last, begin = at - 1 - w, at - 1 + w + 1, at
                        elif i == 0:
                            first, last, begin = at, at, at - w
                        else:
                            first, last, begin = at - 1 - w, at - w, at + w
                        for x in range(first, last):
                            value = np.int64(source[p, z, y, x])
                            fine[value] -= 1
                            coarse[value >> 8] -= 1
                            below -= value < middle
                        for x in range(begin, at + w + 1 if i < out.shape[3] else begin):
                            value = np.int64(source[p, z, y, x])
                            fine[value] += 1
                            coarse[value >> 8] += 1
                            below += value < middle
                    if i == out.shape[3]:
                        continue
                    while below > target:
                        if middle & 255 == 0:
                            while below - coarse[(middle >> 8) - 1] > target:
                                middle -= 256
                                below -= coarse[middle >> 8]
                        middle -= 1
                        below -= fine[middle]
                    while below + fine[middle] <= target:
                        if middle & 255 == 0 and below + coarse[middle >> 8] <= target:
                            below += coarse[middle >> 8]
                            middle += 256
                        else:
                            below += fine[middle]
                            middle += 1
                    out[p, k, j, i] = middle


@compiled
def is_nearer(distance: float, label: Any, other: float, than: Any) -> bool:
    """Of two that are as near, the smaller label."""
    return distance < other or (distance == other and label < than)


@compiled
def nearest_in_rows(labels: Any, reach: int, weight: float, distances: Any, found: Any) -> None:
    """Fill in, along x, the nearest label and the square of its distance, by the weight of a step; infinite is none."""
    width = found.shape[3]
    for p in range(found.shape[0]):
        for k in range(found.shape[1]):
            for j in range(found.shape[2]):
                for side in range(2):
                    last: Any = -1
                    label = labels[p, k, j, 0]
                    for step in range(width + reach):
                        x = step if side == 0 else labels.shape[3] - 1 - step
                        if labels[p, k, j, x] != 0:
                            last, label = x, labels[p, k, j, x]
                        i = x - reach
                        if not 0 <= i < width:
                            continue
                        away = abs(x - last) if last >= 0 else -1
                        if side == 0:
                            distances[p, k, j, i] = np.inf
                            found[p, k, j, i] = 0
                        if 0 <= away <= reach:
                            square = weight * float(away * away)
                            if is_nearer(square, label, distances[p, k, j, i], found[p, k, j, i]):
                                distances[p, k, j, i] = square
                                found[p, k, j, i] = label


@compiled
def nearest_of_rows(distances: Any, labels: Any, reach: int, weight: float, squares: Any, found: Any) -> None:
    """Fill in the nearest of the labels that were found along other axes, (p, axis, x), the axis being shortened."""
    for p in range(found.shape[0]):
        for j in range(found.shape[1]):
            for i in range(found.shape[2]):
                best, label = distances[p, j + reach, i], labels[p, j + reach, i]
                for away in range(1, reach + 1):
                    square = weight * float(away * away)
                    if square > best:
                        break
                    for y in (j + reach - away, j + reach + away):
                        distance = distances[p, y, i] + square
                        if is_nearer(distance, labels[p, y, i], best, label):
                            best, label = distance, labels[p, y, i]
                squares[p, j, i] = best
                found[p, j, i] = label
