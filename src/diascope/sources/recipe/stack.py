"""Sections on top of each other, and time points one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.mapping import IDENTITY, linear, mapping
from diascope.image.resampled import Grid
from diascope.image.resampling import through
from diascope.image.space import corners, values
from diascope.image.units import ratio
from diascope.sources.recipe.joined import Along, joined, place_of, thinned
from diascope.sources.recipe.model import LONGEST, Series, Stack, Time, quantity
from diascope.sources.recipe.parts import Levels, Parts, fitted, on_grid
from diascope.sources.recipe.planned import UNMOVED, Planned
from diascope.sources.recipe.written import Written

Matrix = NDArray[np.float64]

SIDE = 256
"""Of the chunks of sections that are moved."""
FLAT = 1e-12
"""How thin a matrix may make a section, along its thinnest direction compared with its longest."""
SLACK = 1e-6
"""Rounding errors of positions, in pixels."""


def stack(recipe: Stack, parts: Parts) -> Image:
    """The volume; the sections lie as they are, or where their matrices move them."""
    thickness, unit = quantity(recipe.thickness)
    template, sections = _sections(recipe, parts)
    return thinned(_series(recipe, template, sections, Axis("z", unit), thickness))


def time(recipe: Time, parts: Parts) -> Image:
    """The series."""
    spacing, unit = quantity(recipe.interval) if recipe.interval is not None else (1.0, None)
    template = parts.raw(parts.first)
    return _series(recipe, template, _as_they_are(parts, template), Axis("t", unit), spacing)


def _as_they_are(parts: Parts, template: Image, own: Callable[[Image], Image] = lambda image: image) -> Parts:
    def made(part: Planned, image: Image) -> Levels:
        image = own(image)
        parts.alike(part, image, template)
        return fitted(image, template.levels)

    return parts.making(made)


def _series(recipe: Series, first: Image, parts: Parts, axis: Axis, spacing: float) -> Image:
    if axis.name in first.axis_names:
        raise parts.wrong(parts.first, f"it has an axis {axis.name} already: a view such as `project` takes it away")
    places = tuple(sorted(parts.planned))
    along = Along(
        axis=axis,
        at=place_of(axis.name, first.axis_names),
        spacing=spacing,
        first=0.0,
        length=_length(recipe, parts),
        starts=places,
        sizes=(1,) * len(places),
        places=places,
        added=True,
    )
    fill = filling(parts.known.written, recipe.fill, first.dtype)
    return joined(first, along, parts.levels, fill)


def _length(recipe: Series, parts: Parts) -> int:
    """As many as are asked for, those at the end that are missing too."""
    if recipe.pattern is not None and recipe.first is not None and recipe.last is not None:
        return (recipe.last - recipe.first) // recipe.step + 1
    return parts.known.plan.length


def filling(written: Written, fill: float, dtype: np.dtype[Any]) -> Any:
    """The value as a pixel; raises Malformed where the type cannot hold it."""
    if dtype.kind in "iub":
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        if not float(fill).is_integer() or not low <= fill <= high:
            raise written.wrong(("fill",), f"{fill:g} is no value of {dtype}")
        return dtype.type(int(fill))
    return dtype.type(fill)


def _sections(recipe: Stack, parts: Parts) -> tuple[Image, Parts]:
    """The sections in the pixels of the stack, and an image that has these pixels."""

    def own(image: Image) -> Image:
        return _cornered(image) if recipe.align == "corner" else image

    template = own(parts.raw(parts.first))
    moved = recipe.grid is not None or any(part.affine is not None for part in parts.planned.values())
    if not moved or "z" in template.axis_names:
        return template, _as_they_are(parts, template, own)
    matrices = _matrices(recipe, parts, template)
    finest = _given(recipe, parts, template) if recipe.grid is not None else _covering(parts, template, matrices)
    seen = _cut(through(template, IDENTITY, finest, recipe.interpolation, world=None))

    def made(part: Planned, image: Image) -> Levels:
        image = own(image)
        parts.alike(part, image, template, placed=recipe.grid is not None)
        back = mapping(linear(matrices[part.at]).inverted().array)
        return Levels(lambda k: on_grid(image, seen.levels[k], back, recipe.interpolation))

    return seen, parts.making(made)


def _cut(image: Image) -> Image:
    """The image in chunks that are small enough for a look across many sections."""

    def cut(level: Level) -> Level:
        sides = (min(SIDE, side) for side in level.chunk_shape[-2:])
        return replace(level, chunk_shape=(*level.chunk_shape[:-2], *sides))

    return replace(image, levels=tuple(map(cut, image.levels)))


def _cornered(image: Image) -> Image:
    """The image with the centre of the first pixel at 0."""
    start = image.levels[0].translation

    def moved(level: Level) -> Level:
        at = tuple(a - b for a, b in zip(level.translation, start, strict=True))
        return replace(level, translation=at)

    levels = map(moved, image.levels)
    return replace(image, levels=tuple(levels), world=None)


def _per_unit(recipe: Stack, parts: Parts, image: Image) -> Matrix:
    """How many of the units of x, y and z make one of the recipe's."""
    units = {axis.name: axis.unit for axis in image.axes}
    if recipe.unit is None:
        return np.ones(3)
    lacking = [name for name in "xy" if units.get(name) is None]
    if lacking:
        told = f"the sections' axis {lacking[0]} has no unit, so that {recipe.unit} means nothing"
        raise parts.known.written.wrong(("unit",), told)
    return np.array([*(ratio(recipe.unit, units[name] or "") for name in "xy"), 1.0])


def _matrices(recipe: Stack, parts: Parts, image: Image) -> Mapping[int, Matrix]:
    """From positions in each section to positions in the stack, in the units of the axes."""
    by = np.append(_per_unit(recipe, parts, image), 1.0)
    planned = list(parts.planned.values())
    matrices = np.tile(np.eye(4), (len(planned), 1, 1))
    rows = np.reshape([part.affine or UNMOVED for part in planned], (-1, 2, 3))
    matrices[:, :2, :2], matrices[:, :2, 3] = rows[:, :, :2], rows[:, :, 2]
    singular = np.linalg.svd(matrices[:, :2, :2], compute_uv=False)
    flat = np.nonzero(singular[:, -1] <= FLAT * singular[:, 0])[0]
    if flat.size:
        part = planned[int(flat[0])]
        raise parts.known.written.wrong((*part.key, "affine"), f"its matrix flattens the section {part.member.path}")
    scaled = by[:, None] * matrices * (1 / by)
    return {part.at: matrix for part, matrix in zip(planned, scaled, strict=True)}


def _given(recipe: Stack, parts: Parts, image: Image) -> Grid:
    """The grid that the recipe tells."""
    grid = recipe.grid
    if grid is None:
        raise ValueError
    by = _per_unit(recipe, parts, image)
    own = values(image.axes, image.levels[0].scale, 1.0)
    apart = own[:2] if grid.pixel is None else np.array(grid.pixel) * by[:2]
    return _grid(image, np.array(grid.origin) * by[:2], apart, list(grid.size))


def _covering(parts: Parts, image: Image, matrices: Mapping[int, Matrix]) -> Grid:
    """The grid about the middle of where all sections come to lie, which are like the first one."""
    ends = np.column_stack([corners(image.axes, image.levels[0]), np.ones(8)])
    places = (ends @ np.stack(list(matrices.values())).transpose(0, 2, 1))[..., :2].reshape(-1, 2)
    low, high = places.min(axis=0), places.max(axis=0)
    apart = values(image.axes, image.levels[0].scale, 1.0)[:2]
    counts = (high - low) / apart
    if not np.isfinite(counts).all() or counts.max() > LONGEST:
        raise parts.known.written.wrong((), f"the stack would have {counts.max():.4g} pixels: give it a grid")
    sizes = [max(ceil(count - SLACK), 1) for count in counts.tolist()]
    return _grid(image, (low + high) / 2 - (np.array(sizes) - 1) / 2 * apart, apart, sizes)


def _grid(image: Image, first: Matrix, apart: Matrix, sizes: list[int]) -> Grid:
    """The grid of these along x and y, and of level 0 along other axes."""
    level: Level = image.levels[0]
    origin, spacing, shape = list(level.translation), list(level.scale), list(level.shape)
    for k, name in enumerate("xy"):
        d = image.axis_names.index(name)
        origin[d], spacing[d], shape[d] = float(first[k]), float(apart[k]), sizes[k]
    return Grid(tuple(origin), tuple(spacing), tuple(shape))
