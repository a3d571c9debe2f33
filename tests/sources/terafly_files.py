"""Tiny TeraFly volumes: folders of tiles of TIFF."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

VOLUME = np.random.default_rng(11).integers(0, 60_000, (12, 70, 90), dtype=np.uint16)
VOXEL = (4.0, 0.5, 0.25)
"""Along z, y and x, in micrometres."""


def halved(pixels: Any) -> Any:
    return pixels[::2, ::2, ::2]


def level(path: Path, pixels: Any, voxel: tuple[float, float, float], tile: tuple[int, ...]) -> None:
    """The tiles of a level; of one plane they are as a series of planes is."""
    z_step, y_step, x_step = tile
    for y in range(0, pixels.shape[1], y_step):
        for x in range(0, pixels.shape[2], x_step):
            row, column = (f"{round(k * size * 10):06}" for k, size in ((y, voxel[1]), (x, voxel[2])))
            folder = path / row / f"{row}_{column}"
            folder.mkdir(parents=True)
            for z in range(0, pixels.shape[0], z_step):
                part = pixels[z : z + z_step, y : y + y_step, x : x + x_step]
                name = f"{row}_{column}_{round(z * voxel[0] * 10):06}.tif"
                tifffile.imwrite(folder / name, part, metadata=None)


def mdata(path: Path, shape: tuple[int, ...], voxel: tuple[float, float, float]) -> None:
    z, y, x = voxel
    told = struct.pack("<f3i3f3f3f3I2H", 2.0, 1, 2, 3, y, x, z, y, x, z, 0, 0, 0, shape[1], shape[2], shape[0], 1, 1)
    (path / "mdata.bin").write_bytes(told)


def named(pixels: Any) -> str:
    return f"RES({pixels.shape[1]}x{pixels.shape[2]}x{pixels.shape[0]})"


def pyramid(path: Path) -> None:
    coarse = halved(VOLUME)
    level(path / named(VOLUME), VOLUME, VOXEL, (5, 32, 40))
    level(path / named(coarse), coarse, (8.0, 1.0, 0.5), (6, 35, 45))
    mdata(path / named(VOLUME), VOLUME.shape, VOXEL)


def planes(path: Path) -> None:
    level(path, VOLUME, VOXEL, (1, 35, 90))
    mdata(path, VOLUME.shape, VOXEL)


SAMPLES = {"terafly": {"brain": pyramid, "planes": planes}}
