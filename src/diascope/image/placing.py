"""Where the pixels of one level lie in another one, in its pixels, and which box of them they need."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import ceil, floor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.image.axes import Axis
from diascope.image.displaced_rows import displaced_rows
from diascope.image.image import Interpolation
from diascope.image.level import Level
from diascope.image.mapping import Box, Linear, Mapping
from diascope.image.region import Ints, Region
from diascope.image.space import pixel_matrix, values

Matrix: TypeAlias = NDArray[np.float64]

NEGLIGIBLE = 1e-6
"""In pixels."""

REACH: dict[Interpolation, int] = {"nearest": 1, "linear": 1, "cubic": 2}
"""How many pixels beside its place a value is made of, at most."""

MOST_PLACES = 1 << 18
"""So many places are held in memory at a time, where a map bends space."""


@dataclass(frozen=True, slots=True)
class Placing:
    """The pixels of a level of the result in a level of the source, along z, y and x."""

    matrix: Matrix
    """Three rows of four: ``matrix @ (z, y, x, 1)``, indices both; without what bends."""
    slabs: Matrix
    """Rows of six: there is something only where low <= a z + b y + c x + d <= high."""
    bent: Mapping | None
    """The map of positions, where it bends space, so that the matrix does not do."""
    pixels: Matrix
    """From the result's indices (x, y, z, 1) to positions."""
    source: Matrix
    """From the source's indices to positions."""
    size: Ints
    """Of the source's level, along z, y and x."""
    has_planes: bool
    """Whether there is an axis z."""
    is_volume: bool
    """Whether values are made across planes; else each plane is one of the source's."""

    @property
    def shift(self) -> int:
        """What is to be added to the index of a plane where planes stay planes."""
        return round(float(self.matrix[0, 3]))

    def is_affordable(self, count: int) -> bool:
        """Whether the places of so many pixels can be looked at together."""
        return self.bent is None or count <= MOST_PLACES

    def field(self, start: Ints, stop: Ints) -> Matrix:
        """Where the pixels of a box of the result lie, of shape (3, z, y, x); empty where the matrix says it."""
        if self.bent is None:
            return np.empty((3, 0, 0, 0))
        deep_start, deep_stop = self._deep(start, stop)
        if rows := displaced_rows(self.bent, self.pixels, self.source):
            return rows.places(deep_start, deep_stop)
        z, y, x = (np.arange(a, b, dtype=np.float64) for a, b in zip(deep_start, deep_stop, strict=True))
        positions = np.empty((len(z), len(y), len(x), 3))
        for axis, index in enumerate((x, y[:, None], z[:, None, None])):
            positions[..., axis] = index * self.pixels[axis, axis] + self.pixels[axis, 3]
        there = self.bent(positions)
        places = np.empty((3, *positions.shape[:3]))
        for axis in range(3):
            np.subtract(there[..., axis], self.source[axis, 3], out=places[2 - axis])
            places[2 - axis] /= self.source[axis, axis]
        return places

    def box(self, start: Ints, stop: Ints, field: Matrix, interpolation: Interpolation) -> Region | None:
        """The source's pixels, along its spatial axes, that a box of the result is made of; None for none."""
        ends = self._bent_ends(field) if self.bent is not None else self._ends(start, stop)
        if ends is None:
            return None
        low, high = ends
        reach = REACH[interpolation]
        # Beyond the edge the outermost pixel counts, and a place half a pixel away from it still lies in it.
        if any(b < -0.5 - NEGLIGIBLE or a > n - 0.5 + NEGLIGIBLE for a, b, n in zip(low, high, self.size, strict=True)):
            return None
        first = [min(max(floor(max(a, -2.0)) - reach, 0), n - 1) for a, n in zip(low, self.size, strict=True)]
        last = [min(max(ceil(min(b, n + 2.0)) + reach + 1, 1), n) for b, n in zip(high, self.size, strict=True)]
        if not self.is_volume:
            first[0], last[0] = self._planes(start, stop)
        if first[0] >= last[0]:
            return None
        drop = 0 if self.has_planes else 1
        return Region(tuple(first[drop:]), tuple(last[drop:]))

    def _planes(self, start: Ints, stop: Ints) -> tuple[int, int]:
        deep_start, deep_stop = self._deep(start, stop)
        return max(deep_start[0] + self.shift, 0), min(deep_stop[0] + self.shift, self.size[0])

    def _deep(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        """The box along z, y and x, whether there is an axis z or not."""
        return (start, stop) if self.has_planes else ((0, *start), (1, *stop))

    def _ends(self, start: Ints, stop: Ints) -> tuple[list[float], list[float]]:
        """The lowest and highest places of the corners, between which all lie."""
        deep_start, deep_stop = self._deep(start, stop)
        corners = product(*((a, b - 1) for a, b in zip(deep_start, deep_stop, strict=True)))
        places = np.array([self.matrix @ (*corner, 1.0) for corner in corners])
        return places.min(axis=0).tolist(), places.max(axis=0).tolist()

    @staticmethod
    def _bent_ends(field: Matrix) -> tuple[list[float], list[float]] | None:
        from diascope.image import bending

        ends = bending.ends_of(field.reshape(3, -1), np.full((2, 3), np.inf))
        return (ends[0].tolist(), ends[1].tolist()) if ends[0, 0] <= ends[1, 0] else None


def placing(axes: tuple[Axis, ...], grid: Level, source: Level, mapping: Mapping) -> Placing:
    """Where the pixels of a level lie in another one, whose positions they are mapped to."""
    pixels, source_pixels = pixel_matrix(axes, grid), pixel_matrix(axes, source)
    matrix = _backwards(np.linalg.inv(source_pixels) @ mapping.matrix @ pixels)
    names = [axis.name for axis in axes]
    shape, size = (values(axes, level.shape, 1).astype(int)[::-1] for level in (grid, source))
    bent = None if mapping.is_linear else mapping
    return Placing(
        matrix=matrix,
        slabs=_slabs(mapping, pixels) if bent is None else np.empty((0, 6)),
        bent=bent,
        pixels=pixels,
        source=source_pixels,
        size=tuple(map(int, size)),
        has_planes="z" in names,
        is_volume="z" in names and (bent is not None or not _keeps_planes(matrix, shape)),
    )


def _backwards(matrix: Matrix) -> Matrix:
    """The first three rows, between indices (z, y, x) instead of (x, y, z)."""
    return np.ascontiguousarray(matrix[[2, 1, 0]][:, [2, 1, 0, 3]])


def _keeps_planes(matrix: Matrix, shape: NDArray[np.int64]) -> bool:
    """Whether every plane of the result is a plane of the source, through all the result."""
    away = np.abs(matrix[:, :3] - np.diag([1, 0, 0]))
    across = float(away[0] @ shape) + abs(float(matrix[0, 3]) - round(float(matrix[0, 3])))
    along = float(away[1:, 0].max() * shape[0])
    return max(across, along) < NEGLIGIBLE


def _slabs(mapping: Mapping, pixels: Matrix) -> Matrix:
    """Each box of the map as three slabs, those that cut nothing left out."""
    found: list[list[float]] = []
    so_far = pixels
    for step in mapping.steps:
        if isinstance(step, Linear):
            so_far = step.array @ so_far
        elif isinstance(step, Box):
            rows = zip(so_far[:, [2, 1, 0, 3]].tolist(), step.low, step.high, strict=False)
            found += [[*row, low, high] for row, low, high in rows if np.isfinite((low, high)).any()]
    return np.array(found, np.float64).reshape(-1, 6)
