"""How intensities become eight bits: a window, a table for short integers, and sums of coloured channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from diascope.bounded import Part, reader_cache
from diascope.image.level import Pixels
from diascope.image.region import Ints

Bytes: TypeAlias = NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]
Mode: TypeAlias = Literal["add", "max", "screen", "min"]

BYTE = np.dtype(np.uint8)
WHITE = (255, 255, 255)


def colour_of(text: str) -> Colour:
    """Red, green and blue of ``rrggbb``."""
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Pixels to ``round(255 · t ** gamma)``, halves upwards, where t runs from 0 at low to 1 at high, clipped there.

    Low may lie above high, which inverts. NaN is 0; of complex numbers it is the magnitude. Computed in double
    precision, each pixel by itself.
    """

    low: float
    high: float
    gamma: float = 1.0

    def __call__(self, pixels: Pixels) -> Bytes:
        """Of the pixels' shape."""
        if pixels.dtype.kind in "iu" and pixels.dtype.itemsize <= 2:
            return looked_up(pixels, _table(self, pixels.dtype))
        return _computed(self, pixels)


_tables: Part[Bytes] = Part(reader_cache, weigh=lambda table: table.nbytes)


def _table(transfer: Transfer, dtype: np.dtype[Any]) -> Bytes:
    return _tables.get((transfer, dtype), lambda: _all_values(transfer, dtype))


def _all_values(transfer: Transfer, dtype: np.dtype[Any]) -> Bytes:
    """The bytes of all the values of a short integer, in the order of their unsigned twins."""
    unsigned = np.dtype(f"u{dtype.itemsize}")
    return _computed(transfer, np.arange(2 ** (8 * dtype.itemsize), dtype=unsigned).view(dtype))


@lru_cache(maxsize=64)
def _steps(gamma: float) -> NDArray[np.float64]:
    """From which t on each grey value from 1 to 255 is reached.

    Steps are compared instead of powers taken of pixels, whose last bit may depend on a pixel's place in its array.
    """
    return np.asarray(((np.arange(1, 256) - 0.5) / 255) ** (1 / gamma))


def _computed(transfer: Transfer, pixels: Pixels) -> Bytes:
    values = _magnitude(pixels) if pixels.dtype.kind == "c" else pixels.astype(np.float64)
    with np.errstate(all="ignore"):
        values -= transfer.low
        values /= transfer.high - transfer.low
        if transfer.gamma != 1:
            return _steps(transfer.gamma).searchsorted(np.fmax(values, 0), side="right").astype(np.uint8)
        values *= 255
        values += 0.5
        np.fmax(values, 0, out=values)
        np.fmin(values, 255, out=values)
        return values.astype(np.uint8)


def _magnitude(pixels: Pixels) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        real, imaginary = pixels.real.astype(np.float64), pixels.imag.astype(np.float64)
        return np.sqrt(real * real + imaginary * imaginary)


def looked_up(pixels: Pixels, table: Bytes) -> Bytes:
    """The entries of a table, as long as an integer of one or two bytes has values, in the pixels' shape."""
    if not pixels.size:
        return np.empty(pixels.shape, np.uint8)
    rows = np.ascontiguousarray(pixels).view(f"u{pixels.dtype.itemsize}").reshape(-1, pixels.shape[-1])
    return np.asarray(cv2.LUT(rows, table), np.uint8).reshape(pixels.shape)


@lru_cache(maxsize=256)
def _shares(part: int) -> Bytes:
    """``round(grey · part / 255)`` of every grey; there are no halves, 255 being odd."""
    return np.asarray((2 * np.arange(256) * part + 255) // 510, np.uint8)


def blended(greys: Sequence[Bytes], colours: Sequence[Colour], mode: Mode = "add") -> Bytes:
    """Grey channels in their colours, mixed in a mode, with red, green and blue as a further last axis.

    Each channel's part is rounded by itself. A single white channel is its grey three times, unless it is to darken.
    """
    mixed = MODES[mode]
    shape = greys[0].shape
    rows = [_Shared(np.ascontiguousarray(grey).reshape(-1, shape[-1])) for grey in greys]
    if not greys[0].size:
        return np.empty((*shape, 3), np.uint8)
    planes: dict[Ints, Bytes] = {}
    for primary in range(3):
        parts = tuple(colour[primary] for colour in colours)
        if parts not in planes:
            planes[parts] = mixed(rows, parts)
    merged = cv2.merge([planes[tuple(colour[primary] for colour in colours)] for primary in range(3)])
    return np.asarray(merged, np.uint8).reshape(*shape, 3)


class _Shared:
    """A grey channel and its parts, each of which is looked up once, however many primary colours have it."""

    def __init__(self, grey: Bytes) -> None:
        self.grey = grey
        self._parts = {255: grey}

    def part(self, part: int) -> Bytes:
        if part not in self._parts:
            self._parts[part] = np.asarray(cv2.LUT(self.grey, _shares(part)), np.uint8)
        return self._parts[part]


def _lighter(mix: Callable[[Bytes, Bytes], Any], greys: Sequence[_Shared], parts: Ints) -> Bytes:
    """Out of black: a channel without a part in a primary colour changes nothing."""
    shares = [grey.part(part) for grey, part in zip(greys, parts, strict=True) if part]
    if not shares:
        return np.zeros_like(greys[0].grey)
    return reduce(lambda one, other: np.asarray(mix(one, other), np.uint8), shares)


def _screened(one: Bytes, other: Bytes) -> Bytes:
    left = (255 - one).astype(np.uint16) * (255 - other)
    return np.asarray(255 - (left + 127) // 255, np.uint8)


def _darker(greys: Sequence[_Shared], parts: Ints) -> Bytes:
    """Out of white: a channel takes away the more of a primary colour the less of it its own colour has."""
    shares = [grey.part(255 - part) for grey, part in zip(greys, parts, strict=True) if part < 255]
    taken = reduce(lambda one, other: np.asarray(cv2.max(one, other), np.uint8), shares) if shares else None
    return np.full_like(greys[0].grey, 255) if taken is None else np.asarray(255 - taken, np.uint8)


MODES: Mapping[str, Callable[[Sequence[_Shared], Ints], Bytes]] = {
    "add": partial(_lighter, cv2.add),
    "max": partial(_lighter, cv2.max),
    "screen": partial(_lighter, _screened),
    "min": _darker,
}
