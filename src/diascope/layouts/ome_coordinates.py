"""Coordinate systems and transformations as OME-Zarr 0.6 spells them, RFC-5.

https://ngff.openmicroscopy.org/specifications/0.6/#coordinate-transformations-metadata

Levels lead to one system, in which the pixels lie side by side; from there maps lead on, to where an affine view moves
them and into the world. ::

    0 ─┐  scale,                          affine
    1 ─┼─ translation ─▶ physical ──┬──────────────▶ view
    2 ─┘                            └──────────────▶ scanner, mni152 …
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unsupported
from diascope.image.affine import Affine, affine
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.space import holds
from diascope.layouts.ome_metadata import multiscale

Matrix = NDArray[np.float64]

PHYSICAL = "physical"
"""The system that the levels lead to."""
VIEW = "view"
"""That of an image's own positions, where it was moved."""
WORLD_UNIT = "millimeter"


class Carried(NamedTuple):
    """An image whose pixels stay where they are, and what moves them."""

    image: Image
    """Its world is that of the pixels' own positions."""
    view: tuple[tuple[Axis, ...], Matrix] | None
    """The axes that the pixels' positions are moved to, and how (x, y, z, 1) is; None where they are not."""


def carried(image: Image) -> Carried:
    """The image that an affine view moves, where that moves it as a whole and nothing else; else the image as it is."""
    known = image.resampling
    if known is None or not _is_moved_alone(image):
        return Carried(image, None)
    try:
        forward = known.mapping.inverted().matrix
    except Unsupported:
        return Carried(image, None)
    source = known.source
    stays = replace(image, axes=source.axes, levels=source.levels, world=_before(image.world, source.world, forward))
    return Carried(stays, (image.axes, forward))


def _before(world: Affine | None, known: Affine | None, forward: Matrix) -> Affine | None:
    """The world of what was moved: as it is known, where the image kept its place, without the noise of a way back."""
    if world is None:
        return None
    found = affine(world.array @ forward, world.space)
    same = known is not None and known.space == world.space and np.allclose(known.array, found.array, rtol=1e-9)
    return known if same else found


def _is_moved_alone(image: Image) -> bool:
    known = image.resampling
    if known is None or known.source.axis_names != image.axis_names or known.source.dtype != image.dtype:
        return False
    others = [k for k, axis in enumerate(image.axes) if axis.type != "space"]
    alike = all(known.source.shape[k] == image.shape[k] for k in others)
    return alike and len(known.mapping.steps) == 1 and holds(image, known.source, known.mapping)


def multiscale_0_6(found: Carried) -> dict[str, Any]:
    """The entry of ``multiscales``; the system that the levels lead to comes last, where viewers look for it."""
    image = found.image
    told = multiscale(image)
    names = [axis.name for axis in image.axes]
    moves = list(_moves(found))
    systems = [{"name": name, "axes": axes} for name, axes, _ in moves]
    entry: dict[str, Any] = {
        "name": told["name"],
        "coordinateSystems": [*systems, {"name": PHYSICAL, "axes": told["axes"]}],
        "datasets": [{"path": each["path"], "coordinateTransformations": [_placed(each)]} for each in told["datasets"]],
    }
    if moves:
        ends = [{"input": {"name": PHYSICAL}, "output": {"name": name}} for name, _, _ in moves]
        entry["coordinateTransformations"] = [
            _transformation(matrix, names) | end for (_, _, matrix), end in zip(moves, ends, strict=True)
        ]
    return entry


def _placed(dataset: dict[str, Any]) -> dict[str, Any]:
    steps = dataset["coordinateTransformations"]
    ends = {"input": {"path": dataset["path"]}, "output": {"name": PHYSICAL}}
    return (steps[0] if len(steps) == 1 else {"type": "sequence", "transformations": steps}) | ends


def _moves(found: Carried) -> Iterator[tuple[str, list[dict[str, Any]], Matrix]]:
    """Names of systems, their axes, and what (x, y, z, 1) in the first system is there."""
    image = found.image
    if found.view is not None:
        moved, matrix = found.view
        yield VIEW, [_axis(axis, axis.unit) for axis in moved], matrix
    if image.world is not None and ("z" in image.axis_names or _stays_in_plane(image.world.array)):
        name = image.world.space
        axes = [_axis(axis, WORLD_UNIT if axis.type == "space" else axis.unit) for axis in image.axes]
        yield name if name not in {PHYSICAL, VIEW, ""} else f"{name} world".strip(), axes, image.world.array


def _stays_in_plane(matrix: Matrix) -> bool:
    """Whether z = 0 stays so: a system has as many axes as the pixels have."""
    return not matrix[2, [0, 1, 3]].any()


def _axis(axis: Axis, unit: str | None) -> dict[str, Any]:
    return {"name": axis.name, "type": axis.type} | ({"unit": unit} if unit else {})


def _transformation(matrix: Matrix, names: list[str]) -> dict[str, Any]:
    """The plainest transformation of all axes that does what a matrix does to (x, y, z, 1)."""
    rank = len(names)
    spatial = [(k, "xyz".index(name)) for k, name in enumerate(names) if name in "xyz"]
    whole = np.eye(rank, rank + 1)
    for k, row in spatial:
        whole[k, rank] = matrix[row, 3]
        for d, column in spatial:
            whole[k, d] = matrix[row, column]
    scale, shift = whole.diagonal(), whole[:, rank]
    if (whole[:, :rank] != np.diag(scale)).any() or (scale <= 0).any():
        return {"type": "affine", "affine": whole.tolist()}
    steps: list[dict[str, Any]] = []
    if (scale != 1).any():
        steps.append({"type": "scale", "scale": scale.tolist()})
    if shift.any():
        steps.append({"type": "translation", "translation": shift.tolist()})
    if len(steps) == 1:
        return steps[0]
    return {"type": "sequence", "transformations": steps} if steps else {"type": "identity"}
