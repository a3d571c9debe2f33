"""Planes of a focus series to one that is sharp everywhere: each counts where it is sharp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Ints
from diascope.operations.folds import plain
from diascope.operations.smoothing import Smoothing, inner

COLOURS = 3


@dataclass(frozen=True, slots=True)
class Focus:
    """The mean of planes, each weighted by the square of its sharpness around the pixel.

    Sharpness is the energy of the modified Laplacian (S. Nayar, Y. Nakagawa, Shape from focus, 1994): the sum of the
    squared second differences along rows and columns, smoothed. Where no plane has any it is their plain mean.
    """

    smoothing: Smoothing
    """Of planes; of rgb images it is that of colours."""
    colours_at: int | None
    """The axis of colours, which are sharp together; opacity does not count."""

    @property
    def halo(self) -> Ints:
        """How many neighbours on each side the planes need that it is given."""
        reach = self.smoothing.halo
        return (*reach[:-2], reach[-2] + 1, reach[-1] + 1)

    def __call__(self, slabs: Iterator[Pixels], dtype: np.dtype[Any]) -> Pixels:
        planes = (self._weighed(plane) for slab in slabs for plane in slab)
        alike, weights = next(planes)
        sums, seen = alike * weights, 1
        for values, weight in planes:
            sums += values * weight
            weights += weight
            alike += values
            seen += 1
        found = np.where(weights > 0, sums / weights, alike / seen)
        found[np.broadcast_to(np.isnan(weights), found.shape)] = np.nan
        if dtype.kind in "iu":
            return np.floor(found + 0.5).astype(dtype)
        return plain(found.astype(dtype))

    def _weighed(self, plane: Pixels) -> tuple[Pixels, Pixels]:
        """The values of a plane without its neighbours, and their weights."""
        values = plane.astype(np.float64)
        at = self.colours_at
        shown = values if at is None else values.take(range(COLOURS), axis=at).mean(axis=at, keepdims=True)
        middle = 2 * shown[..., 1:-1, 1:-1]
        down = middle - shown[..., :-2, 1:-1] - shown[..., 2:, 1:-1]
        across = middle - shown[..., 1:-1, :-2] - shown[..., 1:-1, 2:]
        energy = self.smoothing(down * down + across * across)
        return inner(values, self.halo), energy * energy
