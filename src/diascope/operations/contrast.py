"""The limits of intensities that an image is shown between where nobody has set them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.region import Region, whole
from diascope.image.sample import blocks, is_affordable, plane_size, reduced_level

LOWEST, HIGHEST = 0.001, 0.999
"""The shares of pixels that lie below black and below white."""

FEW = 1 << 20
"""A plane of no more pixels is looked at whole."""

T = TypeVar("T")


@dataclass(slots=True)
class Once(Generic[T]):
    """A value that is made when it is first asked for, by one of the threads that do."""

    make: Callable[[], T]
    _made: list[T] = field(default_factory=list)
    _lock: Any = field(default_factory=Lock)

    def __call__(self) -> T:
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self.make())
        return self._made[0]


def limits(image: Image) -> tuple[float, float]:
    """What 0.1 and 99.9 % of the finite pixels of a coarse level do not exceed; always apart, and always the same.

    Of an image with the axes y and x alone. Reads a bounded number of pixels however large it is.
    """
    return limits_of(samples(image), LOWEST, HIGHEST)


def limits_of(blocks: Iterable[Pixels], lowest: float, highest: float) -> tuple[float, float]:
    """Two values of pixels that these shares of the finite ones do not exceed; always apart."""
    values = np.concatenate([np.zeros(0, np.float64), *map(_comparable, blocks)])
    if not values.size:
        return 0.0, 1.0
    low, high = int(lowest * (values.size - 1)), round(highest * (values.size - 1))
    values.partition((low, high))
    bottom, top = float(values[low]), float(values[high])
    if bottom < top:
        return bottom, top
    # Nearly all are the same: what differs shall show.
    bottom, top = float(values.min()), float(values.max())
    return (bottom, top) if bottom < top else _around(bottom)


def _around(value: float) -> tuple[float, float]:
    """Limits that show a constant image black where it is 0 or below, and white above."""
    return (value, value + max(1.0, abs(value))) if value <= 0 else (0.0, value)


def _comparable(pixels: Pixels) -> Pixels:
    values = np.abs(pixels) if pixels.dtype.kind == "c" else pixels
    values = values.astype(np.float64).ravel()
    return values[np.isfinite(values)]


def samples(image: Image) -> Iterator[Pixels]:
    """The coarsest level, or blocks spread evenly over one that costs little to read."""
    coarsest = image.levels[-1]
    if is_affordable(coarsest) and plane_size(coarsest) <= FEW:
        yield coarsest.read(whole(coarsest.shape))
        return
    level = image.levels[reduced_level(image)]
    for start, stop in blocks(level):
        yield level.read(Region(start, stop))
