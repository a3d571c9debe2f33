"""Functions of single pixel values: however many follow one another, each pixel is read and mapped once.

A level that was mapped remembers the level behind it and the functions in order, and one mapped again adds to them.
Of integers of up to 16 bits the functions are one table of all values, made when the first pixel is read; of others
they are called one after another on blocks that stay in a processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import cv2
import numpy as np

from diascope.bounded import Part, reader_cache
from diascope.image.level import Level, Pixels
from diascope.image.region import Region

PointFunction: TypeAlias = Callable[[Pixels], Pixels]
"""Pixels in one row to as many values, each the same wherever in its row a pixel stands, or to so many rows of colours.

One that is hashable by what it does shares its tables with all that do the same."""

BLOCK = 1 << 15
"""How many pixels are mapped at a time where there is no table."""

COPIED = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.float64}
"""Types of so many bytes that OpenCV's look-up copies as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """Reads the pixels of a level and maps each by functions in order."""

    source: Level
    functions: tuple[PointFunction, ...]
    dtype: np.dtype[Any]
    """Of what the last function gives."""
    colours_at: int | None = None
    """Where the colours that a function makes of each pixel stand among the axes of the result."""

    def __call__(self, region: Region) -> Pixels:
        at = self.colours_at
        if at is None:
            return self._mapped(self.source.read(region))
        inner = Region(region.start[:at] + region.start[at + 1 :], region.stop[:at] + region.stop[at + 1 :])
        return np.moveaxis(self._mapped(self.source.read(inner))[..., region.start[at] : region.stop[at]], -1, at)

    def _mapped(self, pixels: Pixels) -> Pixels:
        order = tuple(np.argsort([-abs(stride) for stride in pixels.strides], kind="stable").tolist())
        rows = np.ascontiguousarray(pixels.transpose(order))
        colours = () if self.colours_at is None else (3,)
        if not pixels.size:
            return np.empty((*pixels.shape, *colours), self.dtype)
        if is_short(pixels.dtype):
            values = looked_up(rows, table(self.functions, pixels.dtype))
            if colours and self.dtype == np.uint8:
                values = unpacked(values)
        else:
            values = np.empty((rows.size, *colours), self.dtype)
            for start in range(0, rows.size, BLOCK):
                values[start : start + BLOCK] = composed(self.functions, rows.reshape(-1)[start : start + BLOCK])
        back = (*np.argsort(order).tolist(), *(pixels.ndim for _ in colours))
        return values.reshape(*rows.shape, *colours).transpose(back)


def pointwise(level: Level, dtype: np.dtype[Any], function: PointFunction) -> Level:
    """The level with each pixel mapped by itself, at once with all that mapped it before."""
    before = level.read_pixels
    if isinstance(before, Mapped):
        return replace(level, dtype=dtype, read_pixels=Mapped(*_more(before, function), dtype, before.colours_at))
    return replace(level, dtype=dtype, read_pixels=Mapped(level, (function,), dtype))


def coloured(level: Level, like: Level, at: int, function: PointFunction) -> Level:
    """The level ``like``, which has an axis of three colours more: those that the function makes of each pixel."""
    before = level.read_pixels
    source, functions = _more(before, function) if isinstance(before, Mapped) else (level, (function,))
    return replace(like, read_pixels=Mapped(source, functions, like.dtype, at))


def _more(before: Mapped, function: PointFunction) -> tuple[Level, tuple[PointFunction, ...]]:
    return before.source, (*before.functions, function)


def is_short(dtype: np.dtype[Any]) -> bool:
    """Whether pixels have so few values that a table holds them all."""
    return dtype.kind in "iu" and dtype.itemsize <= 2


def composed(functions: tuple[PointFunction, ...], pixels: Pixels) -> Pixels:
    """One function after another of pixels in one row."""
    for function in functions:
        pixels = function(pixels)
    return pixels


def table(functions: tuple[PointFunction, ...], dtype: np.dtype[Any]) -> Pixels:
    """What the functions make of all the values of a short integer, in the order of their unsigned twins."""
    return _tables.get((functions, dtype), lambda: _table(functions, dtype))


def _table(functions: tuple[PointFunction, ...], dtype: np.dtype[Any]) -> Pixels:
    unsigned = np.dtype(f"u{dtype.itemsize}")
    values = _read_only(np.arange(1 << (8 * dtype.itemsize), dtype=unsigned).view(dtype))
    entries = composed(functions, values)
    if entries.ndim > 1 and entries.dtype == np.uint8:
        # A colour is looked up as one number, three times as fast as its parts.
        entries = cv2.cvtColor(np.ascontiguousarray(entries)[:, None], cv2.COLOR_RGB2RGBA).view(np.int32)[:, 0, 0]
    return _read_only(np.ascontiguousarray(entries))


def looked_up(pixels: Pixels, entries: Pixels) -> Pixels:
    """The entries of a table, values or colours, for pixels that lie contiguously."""
    indices = pixels.reshape(-1, pixels.shape[-1]).view(f"u{pixels.dtype.itemsize}")
    if entries.ndim > 1 or entries.dtype.itemsize not in COPIED:
        return np.asarray(np.take(entries, indices, axis=0))
    return np.asarray(cv2.LUT(indices, entries.view(COPIED[entries.dtype.itemsize]))).view(entries.dtype)


def unpacked(colours: Pixels) -> Pixels:
    """Red, green and blue of colours that are one number each, as a further last axis."""
    parts = colours.view(np.uint8).reshape(*colours.shape, 4)
    return np.asarray(cv2.cvtColor(parts, cv2.COLOR_RGBA2RGB))


def _read_only(pixels: Pixels) -> Pixels:
    pixels.flags.writeable = False
    return pixels


_tables: Part[Pixels] = Part(reader_cache, weigh=lambda entries: entries.nbytes)
