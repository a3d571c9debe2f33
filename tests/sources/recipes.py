"""Folders of sections, tiles and recipes for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import tifffile
import zarr

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.level import Pixels, read_whole
from diascope.testing.sources import check_level, check_pyramid, check_reading

MICROMETRE = {"resolution": (10_000, 10_000), "resolutionunit": "CENTIMETER"}


def noise(seed: int, shape: tuple[int, ...] = (30, 40), dtype: Any = np.uint16) -> Pixels:
    """Random pixels of the whole range of a type."""
    random = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return random.random(shape).astype(dtype)
    return random.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def section(folder: Path, name: str, pixels: Pixels) -> Pixels:
    """A TIFF of pixels one micrometre apart."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    photometric = "rgb" if pixels.ndim == 3 and pixels.shape[-1] == 3 else "minisblack"
    tifffile.imwrite(path, pixels, photometric=photometric, **MICROMETRE)
    return pixels


def recipe(folder: Path, text: str, name: str = "made.recipe.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def image(path: Path) -> Image:
    return next(iter(opened_file(path).images.values()))


def made(folder: Path, text: str) -> Image:
    """The image of a recipe, of which regions equal the whole at every level."""
    found = image(recipe(folder, text))
    for level in found.levels:
        check_level(level)
        check_reading(level)
    check_pyramid(found)
    return found


def whole(image: Image, level: int = 0) -> Pixels:
    return read_whole(image.levels[level])


def placed(path: Path, pixels: Pixels, x: float) -> None:
    """An OME-Zarr whose pixels lie somewhere."""
    transformations = [{"type": "scale", "scale": [1, 1]}, {"type": "translation", "translation": [3, x]}]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    datasets = [{"path": "0", "coordinateTransformations": transformations}]
    attributes = {"ome": {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}}
    zarr.create_group(path, overwrite=True, attributes=attributes).create_array("0", data=pixels)
