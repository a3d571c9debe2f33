"""The affine map into the world: as OME-Zarr 0.6 has it, or as Diascope's own OME-Zarr of before carries it."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from diascope.errors import DiascopeError, Unreadable
from diascope.image.affine import Affine, affine
from diascope.image.region import whole
from diascope.image.transformation import MOST_AXES, Matrix, Reader
from diascope.image.units import METRES
from diascope.sources.reading.documents import Document, below, part
from diascope.sources.reading.named_axes import Axes, axes_of
from diascope.sources.zarr.multiscale import Multiscale
from diascope.sources.zarr.node import node
from diascope.stores.store import Store

LAST = (0.0, 0.0, 0.0, 1.0)

LONGEST_NAME = 64

SPATIAL = "xyz"


def world(attributes: Document) -> Affine | None:
    """None where there is no map, or what is there is none."""
    told = part(part(attributes, "diascope"), "world")
    rows, space = told.get("matrix"), told.get("space")
    if not isinstance(rows, list) or len(rows) != 4 or not isinstance(space, str) or len(space) > LONGEST_NAME:
        return None
    first, second, third, last = map(_row, rows)
    if first is None or second is None or third is None or last != LAST:
        return None
    return Affine((first, second, third, LAST), space)


def _row(numbers: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(numbers, list) or len(numbers) != 4 or any(type(each) not in (int, float) for each in numbers):
        return None
    try:
        a, b, c, d = map(float, numbers)
    except OverflowError:
        return None
    return (a, b, c, d) if all(map(isfinite, (a, b, c, d))) else None


def moved(store: Store, found: Multiscale, axes: Axes) -> Affine | None:
    """The last of the file's coordinate systems that a matrix leads to, None where there is none.

    What bends space, or mixes it with time and channels, or cannot be understood, is no map; it hides not the image.
    """
    reader = Reader(lambda relative: array_of(store, found.path, relative))
    maps = list(_maps(found, axes, reader))
    return maps[-1] if maps else None


def _maps(found: Multiscale, axes: Axes, reader: Reader) -> Iterator[Affine]:
    for system, step, backwards in found.moves():
        try:
            there = axes_of(system.axes, found.path)
            matrix = reader.matrix(step, len(there.letters if backwards else axes.letters))
            ends = (there.letters, axes.letters) if backwards else (axes.letters, there.letters)
            spatial = spatial_matrix(matrix, *ends)
            if spatial is None:
                continue
            if backwards:
                spatial = np.asarray(np.linalg.inv(spatial), np.float64)
        except (DiascopeError, ValueError):
            continue
        placed = affine(np.diag([*millimetres(there), 1.0]) @ spatial, system.name)
        if np.isfinite(placed.array).all():
            yield placed


def spatial_matrix(matrix: Matrix, inputs: str, outputs: str) -> Matrix | None:
    """From (x, y, z, 1) to the same; None where the axes of space are others, or depend on those of something else."""
    if len(matrix) != len(outputs) or set(inputs) & set(SPATIAL) != set(outputs) & set(SPATIAL):
        return None
    others = [k for k, letter in enumerate(inputs) if letter not in SPATIAL]
    made = np.eye(4)
    for row, output in zip(matrix, outputs, strict=True):
        if output not in SPATIAL:
            continue
        if row[others].any():
            return None
        made[SPATIAL.index(output), :3] = [row[inputs.index(n)] if n in inputs else 0.0 for n in SPATIAL]
        made[SPATIAL.index(output), 3] = row[-1]
    return made


def millimetres(axes: Axes) -> list[float]:
    """How many there are to the unit of x, y and z; one where it is not told."""
    units = {axis.name: axis.unit for axis in axes.axes}
    return [METRES.get(units.get(name) or "", 1e-3) / 1e-3 for name in SPATIAL]


def array_of(store: Store, path: str, relative: str) -> Matrix:
    """The numbers of a small array that a transformation names."""
    found = node(store, below(path, relative))
    if found is None:
        raise Unreadable(f"{path}: the array {relative} that a transformation names is missing")
    array = found.array(store)
    shape = array.metadata.shape
    if len(shape) > 2 or any(size > MOST_AXES + 1 for size in shape) or array.metadata.dtype.kind not in "iuf":
        raise Unreadable(f"{path}: the array {relative} is no matrix")
    return np.asarray(array.read(whole(shape)), np.float64)
