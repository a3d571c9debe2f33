"""Fields of vectors as OME-Zarr 0.6 keeps them: for each point of the fixed image, in its units, where it comes from.

::

    axes       y x c       the last of the type displacement, or coordinate: the parts in the order of the others
    units      those of the axes, for positions and parts

https://ngff.openmicroscopy.org/specifications/0.6/#coordinates-and-displacements
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from diascope.errors import BadRequest
from diascope.image.displacement import Displacement
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.mapping import linear
from diascope.image.region import Region
from diascope.image.space import SPATIAL, pixel_matrix, spatial, values

KEY = "vector_field"
"""Under this the source tells of an image that is a field: its type, and the axes of its parts in their order."""


def is_vector_field(image: Image) -> bool:
    return isinstance(image.metadata.extra.get(KEY), Mapping)


def kind_of(field: Image) -> str:
    """``displacement`` or ``coordinate``."""
    return str(field.metadata.extra[KEY].get("type"))


def step_of(name: str, image: Image) -> Displacement:
    """The map of points, in the units of its axes, that a field is; raises BadRequest where it is none."""
    told = image.metadata.extra[KEY]
    kind, parts = kind_of(image), str(told.get("axes"))
    space = spatial(image)
    if set(image.axis_names) != {"c", *space} or sorted(parts) != sorted(space) or image.size("c") != len(space):
        raise BadRequest(f"{name}: {image!r} is no field of a vector a pixel, with a number for each of its other axes")
    if image.dtype.kind not in "iuf" or kind not in {"displacement", "coordinate"}:
        raise BadRequest(f"{name}: {image!r} has no vectors of plain numbers")
    index = linear(pixel_matrix(image.axes, image.levels[0])).inverted().array
    if space == "xy":
        index[2] = 0
    apart = min(values(image.axes, image.levels[0].scale, np.inf).tolist())
    return Displacement(_x_first(image, parts, kind == "coordinate"), linear(index), (1.0, 1.0, 1.0), apart)


def _x_first(image: Image, parts: str, are_places: bool) -> Level:
    """Its vectors as maps have them: the part along x first, along four axes, and what they add to a position."""
    level, space = image.levels[0], spatial(image)
    order = [parts.index(name) for name in space]
    kept = [k for k, name in enumerate("czyx") if name in image.axis_names]
    firsts, steps = (values(image.axes, each, 0.0) for each in (level.translation, level.scale))

    def read_pixels(region: Region) -> Pixels:
        start, stop = ([ends[k] for k in kept[1:]] for ends in (region.start, region.stop))
        whole = Region((0, *start), (len(parts), *stop))
        vectors = level.read(whole)[order].reshape(-1, *region.shape[1:])
        if are_places:
            vectors = vectors.astype(np.float64)
            for k, name in enumerate(space):
                axis = SPATIAL.index(name)
                along = np.arange(region.start[3 - axis], region.stop[3 - axis]) * steps[axis] + firsts[axis]
                vectors[k] -= along.reshape([-1 if d == 2 - axis else 1 for d in range(3)])
        return vectors[region.start[0] : region.stop[0]]

    def four(given: tuple[Any, ...], missing: Any) -> tuple[Any, ...]:
        return given if len(given) == 4 else (given[0], missing, *given[1:])

    return replace(
        level,
        shape=four(level.shape, 1),
        chunk_shape=four(level.chunk_shape, 1),
        scale=four(level.scale, 1.0),
        translation=four(level.translation, 0.0),
        read_pixels=read_pixels,
    )
