"""A box of a picture at any size, out of the coarsest level that has as many pixels.

Reduced pixels are means of the area that they cover, enlarged ones linear between neighbours. The edges of the result
are those of the box to a fraction of a pixel, so that boxes side by side fit without a seam.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from typing import NamedTuple

import cv2
import numpy as np

from diascope.errors import TooLarge
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.layouts.picture import pixels

BLOCK = 2048
"""Rows and columns of a level that are read at once, so that memory does not grow with the picture."""
LARGEST_BLOCK = 1 << 26
"""Pixels of a level that may be read for one block of the result, where a picture has no level coarse enough."""
SQUEEZE = 16
"""Where one side is reduced so many times more than the other, the other is read more coarsely than it could be."""
SPARED = 4 / 3
"""Up to this reduction linear samples need no averaging: it would blur more than the aliases that it takes away."""
EXACT = 1e-6


class Span(NamedTuple):
    """A part of an axis of a level, in pixels from the outer edge of pixel 0."""

    start: float
    stop: float

    @property
    def length(self) -> float:
        return self.stop - self.start

    def part(self, first: int, last: int, of: int) -> Span:
        """From one to another of so many equal parts."""
        step = self.length / of
        return Span(self.start + first * step, self.start + last * step)

    def touched(self, size: int, margin: int = 0) -> range:
        """The pixels that it touches, and so many more on either side, of an axis of this size."""
        start = min(max(floor(self.start + EXACT) - margin, 0), size - 1)
        return range(start, max(min(ceil(self.stop - EXACT) + margin, size), start + 1))

    def is_of(self, pixels: range) -> bool:
        """Whether it begins and ends where these do."""
        return abs(self.start - pixels.start) < EXACT and abs(self.stop - pixels.stop) < EXACT


class Side(NamedTuple):
    """One axis of a request."""

    axis: int
    """-2 or -1, that of the rows or columns."""
    box: range
    """In pixels of the whole picture."""
    size: int
    """Of the result."""


def resized(picture: Image, rows: range, columns: range, height: int, width: int) -> Pixels:
    """Rows and columns of a picture as so many rows and columns of (y, x) grey or (y, x, 3 or 4) colours.

    Raises TooLarge where the picture has no level for such a reduction.
    """
    sides = Side(-2, rows, height), Side(-1, columns, width)
    level = _level(picture, sides)
    down, across = (_span(picture, level, side) for side in sides)
    channels = (picture.size("c"),) if picture.kind == "rgb" else ()
    out = np.empty((height, width, *channels), picture.dtype)
    for y in _pieces(height, down):
        for x in _pieces(width, across):
            spans = down.part(y.start, y.stop, height), across.part(x.start, x.stop, width)
            out[y.start : y.stop, x.start : x.stop] = _piece(picture, level, spans, (len(y), len(x)))
    return out


def exact_levels(picture: Image) -> dict[int, int]:
    """By a whole factor the number of the level that is as much reduced.

    A box that begins and ends at multiples of the factor is ``resized`` to just the level's pixels where it becomes so
    many times smaller, but of a single row or column.
    """
    factors = [[_factor(picture, level, axis) for axis in (-2, -1)] for level in picture.levels]
    found = {}
    for k, (down, across) in enumerate(factors):
        shifts = [_shift(picture, picture.levels[k], axis) for axis in (-2, -1)]
        coarser = [factor for pair in factors[k + 1 :] for factor in pair]
        if down == across == int(down) and max(map(abs, shifts)) < EXACT and min(coarser, default=down * 2) >= 2 * down:
            found[int(down)] = k
    return found


def _pieces(size: int, span: Span) -> Iterator[range]:
    """The rows or columns of the result in pieces that need no more than a block of the level."""
    step = min(max(floor(BLOCK * size / span.length), 1), BLOCK)
    return (range(start, min(start + step, size)) for start in range(0, size, step))


def _level(picture: Image, sides: tuple[Side, Side]) -> Level:
    """The coarsest level that has enough pixels in the box along both axes."""
    coarsest = max(len(side.box) / side.size for side in sides) / SQUEEZE

    def enough(level: Level) -> bool:
        factors = [_factor(picture, level, side.axis) for side in sides]
        return all(
            factor <= coarsest or ceil(len(side.box) / factor - EXACT) >= side.size
            for factor, side in zip(factors, sides, strict=True)
        )

    return next((level for level in picture.levels[:0:-1] if enough(level)), picture.levels[0])


def _factor(picture: Image, level: Level, axis: int) -> float:
    """By how much a level is reduced: a whole number where sizes were only rounded to make it look like none."""
    finest = picture.levels[0]
    factor = level.scale[axis] / finest.scale[axis]
    whole = max(round(factor), 1)
    near = abs(factor / whole - 1) < 0.01 and abs(level.shape[axis] - -(-finest.shape[axis] // whole)) <= 1
    return whole if near else factor


def _shift(picture: Image, level: Level, axis: int) -> float:
    """How far the outer edge of a level's pixel 0 lies from that of the picture, in pixels of the picture."""
    finest = picture.levels[0]
    shift = (level.translation[axis] - finest.translation[axis]) / finest.scale[axis]
    return shift - (_factor(picture, level, axis) - 1) / 2


def _span(picture: Image, level: Level, side: Side) -> Span:
    """Where a box lies in a level, by the physical positions of the two levels' pixels."""
    finest, axis = picture.levels[0], side.axis
    factor = _factor(picture, level, axis)
    shift = _shift(picture, level, axis)
    start, stop = ((edge - shift) / factor for edge in (side.box.start, side.box.stop))
    start = round(start) if abs(start - round(start)) < EXACT else start
    # The last pixel of a level may reach over the edge of the picture. It is then shown as it is, not narrowed.
    at_edge = side.box.stop == finest.shape[axis] and start + side.size == level.shape[axis]
    return Span(start, level.shape[axis] if at_edge and abs(stop - level.shape[axis]) < 1 else stop)


def _piece(picture: Image, level: Level, spans: tuple[Span, Span], shape: tuple[int, int]) -> Pixels:
    """The pixels of the level between these edges as so many rows and columns."""
    exact = tuple(span.touched(size) for span, size in zip(spans, level.shape[-2:], strict=True))
    if len(exact[0]) * len(exact[1]) > LARGEST_BLOCK:
        raise TooLarge(f"the picture has no level coarse enough: more than {LARGEST_BLOCK} pixels would become few")
    aligned = all(span.is_of(r) and len(r) >= n for r, n, span in zip(exact, shape, spans, strict=True))
    high, wide = (n * _samples(span.length / n) for span, n in zip(spans, shape, strict=True))
    if aligned:
        plane = pixels(picture, level, *exact)
    elif all(abs(span.length - n) < EXACT for span, n in zip(spans, shape, strict=True)):
        plane = _shifted(picture, level, spans, shape)
    else:
        plane = _warped(picture, level, spans, (high, wide))
    if plane.shape[:2] == shape:
        return plane
    return np.asarray(cv2.resize(np.ascontiguousarray(plane), shape[::-1], interpolation=cv2.INTER_AREA))


def _samples(ratio: float) -> int:
    """How many samples along an axis make one pixel of the result: at least as many as the level has, about."""
    return 1 if ratio < SPARED else ceil(ratio - EXACT)


def _shifted(picture: Image, level: Level, spans: tuple[Span, Span], shape: tuple[int, int]) -> Pixels:
    """The same where the pixels of the result are as large as the level's, but lie between them."""
    from diascope.layouts import shifting

    firsts = [floor(span.start + EXACT) for span in spans]
    parts = [max(span.start - first, 0.0) for span, first in zip(spans, firsts, strict=True)]
    more = [int(part > EXACT) for part in parts]
    plane = _with_edges(picture, level, firsts, [n + by for n, by in zip(shape, more, strict=True)])
    colours = plane.shape[2] if plane.ndim == 3 else 1
    rows = plane.reshape(len(plane), -1)
    # The compiled loops are made anew for arrays that may be written to.
    rows.flags.writeable = False
    out = np.empty((*shape, *plane.shape[2:]), plane.dtype)
    away, by = (more[0], more[1] * colours), (np.float32(parts[0]), np.float32(parts[1]))
    shifting.shifted(rows, away, by, out.reshape(shape[0], -1))
    return out


def _with_edges(picture: Image, level: Level, firsts: list[int], counts: list[int]) -> Pixels:
    """So many rows and columns of the level from the first ones on, its outermost pixels repeated beyond its edges."""
    sides = list(zip(firsts, counts, level.shape[-2:], strict=True))
    rows, columns = (Span(first, first + count).touched(size) for first, count, size in sides)
    plane = np.ascontiguousarray(pixels(picture, level, rows, columns))
    before = [r.start - first for r, first in zip((rows, columns), firsts, strict=True)]
    after = [first + count - r.stop for r, (first, count, _) in zip((rows, columns), sides, strict=True)]
    if not any((*before, *after)):
        return plane
    widths = [*zip(before, after, strict=True), (0, 0)][: plane.ndim]
    return np.pad(plane, widths, mode="edge")


def _warped(picture: Image, level: Level, spans: tuple[Span, Span], shape: tuple[int, int]) -> Pixels:
    """The same by linear interpolation; beyond the level's edges its outermost pixels are repeated."""
    rows, columns = (span.touched(size, 1) for span, size in zip(spans, level.shape[-2:], strict=True))
    plane = np.ascontiguousarray(pixels(picture, level, rows, columns))
    matrix = np.zeros((2, 3))
    for k, (span, read, n) in enumerate(zip(spans[::-1], (columns, rows), shape[::-1], strict=True)):
        step = span.length / n
        matrix[k, k], matrix[k, 2] = step, span.start + step / 2 - 0.5 - read.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE))
