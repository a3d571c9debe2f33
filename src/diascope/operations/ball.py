"""The neighbours of a pixel that lie within a radius of it: a disk in its plane, or a ball."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diascope.errors import TooLarge
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints
from diascope.operations.extent import extent
from diascope.operations.operation import Parameters, with_halo
from diascope.operations.places import place, spacing
from diascope.operations.values import OptionalUnit

LARGEST = 100.0
"""In pixels of level 0, along each axis: what a tile reads around itself stays bounded."""

MOST = 40_000
"""How many neighbours a pixel has at most, at level 0."""

SLACK = 1e-9
"""Rounding errors of the squares of distances, by that of the radius."""


class Within(Parameters):
    radius: float = Field(
        gt=0,
        description=(
            "A length: the neighbours of a pixel are those whose centres lie no farther from its own, at every level. "
            "Where the pixels of a coarse level lie farther apart, a pixel stays alone and as it is. Beyond the "
            "image's edge its last pixel is repeated. At most 100 pixels of level 0, and 40,000 neighbours."
        ),
    )
    unit: OptionalUnit = Field(
        None, description="Of the radius; by default um, or pixels of level 0 along axes whose unit is not known."
    )
    axes: Literal["yx", "zyx"] = Field("yx", description="A disk in each plane, or a ball through the planes too.")


@dataclass(frozen=True, slots=True)
class Ball:
    """The pixels about one, as rows along x."""

    steps: tuple[float, float, float]
    """From pixel to pixel along z, y and x, by the radius."""
    reach: tuple[int, int, int]
    """How far it goes along z, y and x, in pixels."""

    @property
    def rows(self) -> tuple[tuple[int, int, int], ...]:
        """How far along z and y each row lies from the middle, and how far it goes to both sides along x."""
        dz, dy, _ = self.reach
        found = []
        for z in range(-dz, dz + 1):
            for y in range(-dy, dy + 1):
                rest = 1 + SLACK - (z * self.steps[0]) ** 2 - (y * self.steps[1]) ** 2
                if rest >= 0:
                    found.append((z, y, min(floor(sqrt(rest) / self.steps[2]), self.reach[2])))
        return tuple(found)

    @property
    def count(self) -> int:
        """How many pixels there are."""
        return sum(2 * width + 1 for _, _, width in self.rows)


def ball(steps: Sequence[float]) -> Ball:
    """The ball of steps along some of the last of the axes z, y and x; it is flat along the others."""
    reach = [floor((1 + SLACK) / step) for step in steps]
    missing = 3 - len(reach)
    z, y, x = (*(0 for _ in range(missing)), *reach)
    a, b, c = (*(1.0 for _ in range(missing)), *steps)
    return Ball((a, b, c), (z, y, x))


def balls(image: Image, parameters: Within) -> Callable[[Level], Ball]:
    """The neighbours in each level; raises TooLarge where they are too many."""
    told = ("radius", parameters.radius)
    lengths = {place(image, name): extent(image, name, told, parameters.unit, LARGEST) for name in parameters.axes}

    def of(level: Level) -> Ball:
        return ball([spacing(image, level, at) / length for at, length in lengths.items()])

    count = of(image.levels[0]).count
    if count > MOST:
        raise TooLarge(f"within radius={parameters.radius:g} lie {count} pixels of a volume; the limit is {MOST}")
    return of


def local(
    level: Level,
    reach: Sequence[int],
    axes: str,
    function: Callable[[Pixels], Pixels],
    dtype: np.dtype[Any] | None = None,
) -> Level:
    """The level filtered by a function of pixels along p, z, y and x, which are given with neighbours on each side.

    Planes that do not see one another are many p.
    """
    rank, seen = len(level.shape), len(axes)
    halo: Ints = (0,) * (rank - seen) + tuple(reach[3 - seen :])

    def reshaped(pixels: Pixels) -> Pixels:
        shape = (-1, *(1 for _ in range(3 - seen)), *pixels.shape[rank - seen :])
        made = function(np.ascontiguousarray(pixels).reshape(shape))
        return made.reshape(pixels.shape[: rank - seen] + made.shape[4 - seen :])

    return with_halo(level, halo, reshaped, dtype)
