"""A volume, a stack, and a view of either that moves and filters: as files, and as the pixels that scipy makes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from tests.web.blocks import blocks

Volume: TypeAlias = NDArray[Any]

SHAPE = (24, 72, 88)
"""z, y, x of what is stored."""
STORED = np.array([1.5, 0.5, 0.4])
"""Micrometres between its pixels."""

MATRIX = np.array([[0.98, 0.11, 0.05, 1.7], [-0.14, 0.93, 0.31, -2.3], [0.06, -0.27, 0.95, 3.1]])
"""Turned about x and a little about the others, sheared and shifted: of x, y and z, in micrometres."""
SIZE = (96, 80, 60)
FIRST = (-3, -5, 2)
"""The result's first pixel along x, y and z, in its own pixels."""
PIXEL = 0.4
SIGMA = 0.24
LOW, HIGH = 900, 2900

MOVES = [(0.97, -0.08, 1.3, 0.06, 1.02, -0.9), (1.01, 0.05, -0.8, -0.04, 0.98, 1.1)]
"""Of the sections of a stack, in turn."""


def _told(numbers: Any) -> str:
    return "+".join(f"{number:.10g}" for number in np.ravel(numbers))


ORIGIN = np.array(FIRST) * PIXEL
VIEW = (
    f"affine,matrix={_told(MATRIX)},size={_told(SIZE)},origin={_told(ORIGIN)},pixel={_told([PIXEL] * 3)}"
    f"~gaussian,sigma={SIGMA},axes=zyx~window,low={LOW},high={HIGH}"
)


@cache
def stored() -> Volume:
    """Two channels of blocks of two pixels, in which nothing looks like anything else."""
    channels = [blocks(SHAPE, 2, seed=seed) for seed in (11, 12)]
    return np.round(np.stack(channels) * 3800).astype(np.uint16)


def resampled(pixels: Volume, to_pixels: NDArray[np.float64], shape: tuple[int, ...]) -> Volume:
    """Linear, a pixel reaching to its edge and nothing beyond that, halves rounded up; of homogeneous indices."""
    at = np.stack([*np.indices(shape, dtype=np.float64), np.ones(shape)])
    places = np.tensordot(to_pixels, at, 1)[: len(shape)]
    values = ndimage.map_coordinates(pixels.astype(np.float64), places, order=1, mode="nearest")
    ends = np.array(pixels.shape).reshape(-1, *(1,) * len(shape))
    inside = ((places >= -0.5) & (places <= ends - 0.5)).all(axis=0)
    return np.floor(np.where(inside, values, 0) + 0.5).astype(pixels.dtype)


def homogeneous(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of numbers about x, y(, z) and 1 as a square matrix about (z, )y, x and 1."""
    spatial = len(matrix)
    out = np.eye(spatial + 1)
    out[:spatial, :spatial] = matrix[::-1, :spatial][:, ::-1]
    out[:spatial, spatial] = matrix[::-1, spatial]
    return out


def grid(spacing: Any, first: Any) -> NDArray[np.float64]:
    """From indices to positions."""
    out = np.diag([*spacing, 1.0])
    out[:-1, -1] = first
    return out


def viewed(pixels: Volume) -> Volume:
    """What the view makes of a stored volume, by scipy."""
    result = grid([PIXEL] * 3, ORIGIN[::-1])
    to_pixels = np.linalg.inv(grid(STORED, [0, 0, 0])) @ np.linalg.inv(homogeneous(MATRIX)) @ result
    moved = resampled(pixels, to_pixels, SIZE[::-1])
    smooth = np.rint(ndimage.gaussian_filter(moved.astype(np.float64), SIGMA / PIXEL, mode="nearest", truncate=4))
    return np.floor(np.clip((smooth - LOW) / (HIGH - LOW), 0, 1) * 255 + 0.5).astype(np.uint8)


def stacked() -> Volume:
    """What the recipe makes of its sections, by scipy."""
    plane = grid(STORED[1:], [0, 0])
    return np.stack(
        [
            resampled(
                section,
                np.linalg.inv(plane) @ np.linalg.inv(homogeneous(np.reshape(MOVES[k % 2], (2, 3)))) @ plane,
                SHAPE[1:],
            )
            for k, section in enumerate(stored()[0])
        ]
    )


def written(folder: Path) -> None:
    """A volume of two channels, and a recipe of sections, each with a matrix of its own."""
    sizes = {f"PhysicalSize{axis}": by for axis, by in zip("ZYX", STORED, strict=True)}
    tifffile.imwrite(folder / "volume.ome.tif", stored(), tile=(32, 32), metadata={"axes": "CZYX", **sizes}, ome=True)
    flat = {key: sizes[key] for key in ("PhysicalSizeX", "PhysicalSizeY")}
    lines = []
    for k, section in enumerate(stored()[0]):
        tifffile.imwrite(folder / f"s{k}.ome.tif", section, metadata={"axes": "YX", **flat}, ome=True)
        lines.append(f"  - {{file: s{k}.ome.tif, affine: {list(MOVES[k % 2])}}}")
    size = f"grid: {{size: [{SHAPE[2]}, {SHAPE[1]}], origin: [0, 0], pixel: [{STORED[2]}, {STORED[1]}]}}"
    said = ["recipe: stack", f"thickness: {STORED[0]} um", "unit: um", size, "sections:", *lines]
    (folder / "stack.recipe.yaml").write_text("\n".join(said))
