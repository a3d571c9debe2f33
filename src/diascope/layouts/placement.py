"""Where the pixels of an image lie in space, as formats of volumes say it: an affine map in millimetres.

An image without the axis z is a volume of one plane, which is one unit thick.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.units import METRES, ratio


class Spatial(NamedTuple):
    """One axis of space."""

    scale: float
    translation: float
    millimetres: float
    """In one unit of the axis; one where the unit is not known."""


def pixel_affine(image: Image) -> NDArray[np.float64]:
    """From the indices x, y, z of a pixel to millimetres, in the world where there is one."""
    place = np.eye(4)
    for k, axis in enumerate(_spatial(image)):
        # The world takes positions in the axes' own units.
        factor = 1.0 if image.world else axis.millimetres
        place[k, k], place[k, 3] = axis.scale * factor, axis.translation * factor
    return image.world.array @ place if image.world else place


def pixel_sizes(image: Image) -> NDArray[np.float64]:
    """The distances of pixels along x, y, z in millimetres."""
    return np.array([abs(axis.scale) * axis.millimetres for axis in _spatial(image)])


def _spatial(image: Image) -> tuple[Spatial, ...]:
    """The axes x, y, z."""
    level = image.levels[0]
    found = {
        axis.name: Spatial(scale, translation, ratio(axis.unit, "millimeter") if axis.unit in METRES else 1.0)
        for axis, scale, translation in zip(image.axes, level.scale, level.translation, strict=True)
        if axis.type == "space"
    }
    found.setdefault("z", Spatial(1.0, 0.0, found["x"].millimetres))
    return tuple(found[name] for name in "xyz")
