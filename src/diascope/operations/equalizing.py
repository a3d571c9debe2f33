"""The compiled loops of adaptive equalization; see ``image/kernels.py``."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.kernels import compiled

BINS = 256
"""Of a histogram; integers between closer limits have a bin each."""


@compiled
def curve_of(pixels: Any, limits: Any, clip: float, curve: Any) -> None:
    """Fill in the share of pixels below the start of each bin, and of them all; those that are no numbers do not count.

    ``limits`` are the lowest value, the number of values, and 1 of integers, which are all of their bin, or else 0.
    No bin holds more than so many times the mean; what it held more is spread over them all.
    """
    bins = curve.shape[0] - 1
    low, width = limits[0], limits[1]
    counts = np.zeros(bins)
    number = 0
    for j in range(pixels.shape[0]):
        for i in range(pixels.shape[1]):
            value = float(pixels[j, i])
            if value == value:  # noqa: PLR0124 - unless it is NaN
                above = min(max(value - low, 0.0), width - limits[2])
                counts[min(int(above * bins / width), bins - 1)] += 1.0
                number += 1
    most = clip * float(number) / float(bins)
    excess = 0.0
    for b in range(bins):
        if counts[b] > most:
            excess += counts[b] - most
            counts[b] = most
    total = 0.0
    curve[0] = 0.0
    for b in range(bins):
        total += counts[b] + excess / float(bins)
        curve[b + 1] = total
    for b in range(bins + 1):
        curve[b] = curve[b] / total if number else float(b) / float(bins)


@compiled
def on_curve(value: float, limits: Any, curve: Any) -> float:
    """The share at a value."""
    bins = curve.shape[0] - 1
    above = min(max(value - limits[0], 0.0), limits[1] - limits[2]) + limits[2]
    at = above * bins / limits[1]
    low = min(int(at), bins - 1)
    share: float = curve[low] + (at - low) * (curve[low + 1] - curve[low])
    return share


@compiled
def weigh(starts: Any, begin: int, near: Any, parts: Any) -> None:
    """Fill in, for pixels from the first on, the cell whose centre lies before each, and how far behind it it lies."""
    cells = starts.shape[0] - 1
    cell = 0
    for i in range(near.shape[0]):
        at = float(begin + i)
        while cell < cells - 2 and at >= 0.5 * float(starts[cell + 1] + starts[cell + 2] - 1):
            cell += 1
        first = 0.5 * float(starts[cell] + starts[cell + 1] - 1)
        near[i] = cell
        parts[i] = 0.0
        if cells > 1:
            second = 0.5 * float(starts[cell + 1] + starts[cell + 2] - 1)
            parts[i] = min(max((at - first) / (second - first), 0.0), 1.0)


@compiled
def equalized(
    source: Any, rows: Any, columns: Any, begin: Any, limits: Any, clip: float, curves: Any, out: Any
) -> None:
    """Fill in the equalized planes (p, y, x), from the pixels of all the cells that ``rows`` and ``columns`` part.

    These are global indices, as those of the first pixel of the result in ``begin`` are. Of ``curves`` two rows are
    held, those of the cells before and behind a row of pixels.
    """
    near_y, parts_y = np.empty(out.shape[1], np.int64), np.empty(out.shape[1])
    near_x, parts_x = np.empty(out.shape[2], np.int64), np.empty(out.shape[2])
    weigh(rows, begin[0], near_y, parts_y)
    weigh(columns, begin[1], near_x, parts_x)
    top, left = rows[0], columns[0]
    down, right = min(1, rows.shape[0] - 2), min(1, columns.shape[0] - 2)
    for p in range(out.shape[0]):
        made: Any = -1
        for j in range(out.shape[1]):
            while made < near_y[j] + down:
                made += 1
                for c in range(columns.shape[0] - 1):
                    cell = source[
                        p,
                        rows[made] - top : rows[made + 1] - top,
                        columns[c] - left : columns[c + 1] - left,
                    ]
                    curve_of(cell, limits, clip, curves[made % 2, c])
            above, below = near_y[j] % 2, (near_y[j] + down) % 2
            for i in range(out.shape[2]):
                value = float(source[p, begin[0] + j - top, begin[1] + i - left])
                if value != value:  # noqa: PLR0124 - NaN stays
                    out[p, j, i] = value
                    continue
                x, part = near_x[i], parts_x[i]
                upper = (1.0 - part) * on_curve(value, limits, curves[above, x])
                upper += part * on_curve(value, limits, curves[above, x + right])
                lower = (1.0 - part) * on_curve(value, limits, curves[below, x])
                lower += part * on_curve(value, limits, curves[below, x + right])
                share = (1.0 - parts_y[j]) * upper + parts_y[j] * lower
                out[p, j, i] = limits[0] + share * (limits[1] - limits[2])
