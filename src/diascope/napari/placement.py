"""Where napari puts a layer: scale, translation and the map into the world, with their units.

https://napari.org/stable/api/napari.layers.Layer.html
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.region import Ints
from diascope.image.units import named, ratio

WORLD = "millimeter"
PIXEL = "pixel"
"""What napari calls an unknown unit."""

EXACT = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Of all the axes of an image but that of channels."""

    order: Ints
    """Which axis of the image each of the layer's is: with a map into the world, the one nearest to z, y or x there."""
    names: tuple[str, ...]
    scale: tuple[float, ...]
    translate: tuple[float, ...]
    units: tuple[str, ...]
    affine: NDArray[np.float64] | None
    """From positions in millimetres into the world, a row and a column more than there are axes."""

    @property
    def arguments(self) -> dict[str, Any]:
        """As a layer takes them."""
        placed = {"scale": self.scale, "translate": self.translate, "units": self.units, "axis_labels": self.names}
        return placed if self.affine is None else {**placed, "affine": self.affine}


def placement(image: Image) -> Placement:
    """Where the finest level lies; centres of pixels are at integers in napari as they are here."""
    axes = [d for d, axis in enumerate(image.axes) if axis.type != "channel"]
    space = [d for d in axes if image.axes[d].type == "space"]
    world = _world(image, space)
    if world is None:
        return _placed(image, tuple(axes), None)
    linear, offset = world
    nearest = _nearest(linear)
    turned = tuple(d for d in axes if d not in space) + tuple(space[k] for k in nearest)
    affine = np.eye(len(axes) + 1)
    affine[-1 - len(space) : -1, -1 - len(space) : -1] = linear[:, nearest]
    affine[-1 - len(space) : -1, -1] = offset
    return _placed(image, turned, affine)


def _placed(image: Image, order: Ints, affine: NDArray[np.float64] | None) -> Placement:
    finest = image.levels[0]
    units = [named(image.axes[d].unit) or PIXEL for d in order]
    factors = [1.0] * len(order)
    if affine is not None:
        # One unit on both sides of the affine map, because napari has but one.
        for k, d in enumerate(order):
            if image.axes[d].type == "space":
                units[k], factors[k] = WORLD, _millimetres(image, d)
    return Placement(
        order=order,
        # Turned axes lie along those of the world.
        names=tuple(image.axes[d].name for d in sorted(order)),
        scale=tuple(finest.scale[d] * factor for d, factor in zip(order, factors, strict=True)),
        translate=tuple(finest.translation[d] * factor for d, factor in zip(order, factors, strict=True)),
        units=tuple(units),
        affine=affine,
    )


def _millimetres(image: Image, d: int) -> float:
    """How many make the unit of an axis; without one it is taken for millimetres, as it is in the map itself."""
    unit = named(image.axes[d].unit)
    return ratio(unit, WORLD) if unit else 1.0


def _world(image: Image, space: list[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The map's matrix and offset in the order of these axes, from millimetres; None where the axes do not hold it."""
    if image.world is None:
        return None
    full = image.world.array
    rows = ["xyz".index(image.axes[d].name) for d in space]
    others = [k for k in range(3) if k not in rows]
    linear = full[np.ix_(rows, rows)] / [_millimetres(image, d) for d in space]
    if np.abs(full[np.ix_(others, rows)]).max(initial=0) > EXACT or abs(np.linalg.det(linear)) < EXACT:
        return None
    return linear, full[rows, 3]


def _nearest(linear: NDArray[np.float64]) -> list[int]:
    """Which column points most along each row: napari slices along axes, so they shall be those of the world."""
    directions = np.abs(linear / np.linalg.norm(linear, axis=0))
    rows = range(len(linear))
    return list(max(permutations(rows), key=lambda order: directions[rows, list(order)].sum().round(9)))
