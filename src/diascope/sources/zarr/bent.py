"""The image of a file as it lies in a coordinate system that a field of vectors leads to (OME-Zarr 0.6)."""

from __future__ import annotations

from itertools import product, takewhile

import numpy as np

from diascope.errors import DiascopeError
from diascope.image.affine import affine
from diascope.image.axes import Axis
from diascope.image.displacement import Displacement, Undisplaced
from diascope.image.image import Image
from diascope.image.mapping import Linear, Mapping, Positions, Step
from diascope.image.resampled import Grid
from diascope.image.resampling import through
from diascope.image.space import SPATIAL, edges, values
from diascope.image.units import ratio
from diascope.sources.reading.documents import is_safe
from diascope.sources.reading.named_axes import Axes, axes_of
from diascope.sources.zarr.multiscale import Multiscale, System
from diascope.sources.zarr.way import Way
from diascope.sources.zarr.world import millimetres
from diascope.stores.store import Store

LARGEST_SIDE = 1 << 31

ROUNDING = 1e-6
"""In pixels."""


def bent_images(store: Store, found: Multiscale, image: Image) -> dict[str, Image]:
    """By the names of the systems; one that cannot be understood is left out, and hides nothing."""
    made: dict[str, Image] = {}
    count = 0
    for system, step, backwards in found.moves():
        try:
            there = axes_of(system.axes, found.path)
            if there.letters != axes_of(found.named_axes(len(system.axes)), found.path).letters:
                continue
            way = Way(store, found.path, there.letters, count)
            steps = way.steps(step, inverse=not backwards)
            count += len(way.fields)
            if way.fields and is_safe(system.name) and "@" not in system.name:
                made[system.name] = _seen(image, system, there, steps, way.fields)
        except (DiascopeError, ValueError, ArithmeticError):
            continue
    return made


def _seen(
    image: Image, system: System, there: Axes, steps: list[Step], fields: list[tuple[Displacement, Image]]
) -> Image:
    """The image in a system from which these steps lead back to it, where the first field has vectors."""
    before = list(takewhile(lambda step: isinstance(step, Linear), steps))
    bend = steps[len(before)]
    step = bend.step if isinstance(bend, Undisplaced) else bend
    first = next(field for known, field in fields if known is step)
    corners = Mapping(tuple(before)).inverted()(_corners(image, first))
    grid = _grid(image, there, corners.min(axis=0), corners.max(axis=0))
    world = affine(np.diag([*millimetres(there), 1.0]), system.name)
    back = Mapping().then(Mapping(tuple(steps)))
    return through(image, back, grid, "linear", world=world, axes=there.axes, name=system.name)


def _corners(image: Image, field: Image) -> Positions:
    """Those of a field; along an axis that it has no vectors for, those of the image."""
    known = np.array([name in field.axis_names for name in SPATIAL])
    pairs = zip(edges(field.axes, field.levels[0]), edges(image.axes, image.levels[0]), strict=True)
    ends = [np.where(known, *pair) for pair in pairs]
    return np.array(list(product(*zip(*ends, strict=True))), np.float64)


def _grid(image: Image, there: Axes, low: Positions, high: Positions) -> Grid:
    """What covers a box, with the image's distances of pixels, in the units of the system."""
    level = image.levels[0]
    apart = values(image.axes, level.scale, 1.0)
    origin, spacing, shape = list(level.translation), list(level.scale), list(level.shape)
    for k, (axis, other) in enumerate(zip(image.axes, there.axes, strict=True)):
        if axis.name not in SPATIAL:
            continue
        at = SPATIAL.index(axis.name)
        step = float(apart[at]) * _units(axis, other)
        size = float(high[at] - low[at]) / step
        if not 0 < size < LARGEST_SIDE:
            raise ValueError("the field covers nothing, or too much")
        shape[k], spacing[k] = max(1, int(np.ceil(size - ROUNDING))), step
        origin[k] = float(low[at] + high[at]) / 2 - (shape[k] - 1) / 2 * step
    return Grid(tuple(origin), tuple(spacing), tuple(shape))


def _units(axis: Axis, other: Axis) -> float:
    """How many of the second's make one of the first's; one where either is not told."""
    return ratio(axis.unit, other.unit) if axis.unit and other.unit else 1.0
