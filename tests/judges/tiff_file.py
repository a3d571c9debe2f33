"""tifffile as a judge: of what is served, and of the copies that other judges make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tifffile
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.level import Level, read_whole
from tests.judges.pixels import Rejected, counted, same

TROUBLE = (tifffile.TiffFileError, ValueError, IndexError, Rejected)


def compared(tiff: tifffile.TiffFile, image: Image, levels: Sequence[Level]) -> list[int]:
    """How many pixels of each level of the first series were compared; raises Rejected where one differs."""
    stored = tiff.series[0].levels
    counted(len(stored), len(levels), "levels")
    return [
        same(_ordered(one, image.axis_names), read_whole(level), f"level {k}")
        for k, (one, level) in enumerate(zip(stored, levels, strict=True))
    ]


def _ordered(stored: tifffile.TiffPageSeries, axis_names: str) -> NDArray[Any]:
    """The pixels with their axes in the image's order; those of length one are left out by some writers."""
    names, pixels = stored.axes.lower().replace("s", "c"), stored.asarray()
    missing = [name for name in axis_names if name not in names]
    names, pixels = "".join(missing) + names, pixels.reshape((1,) * len(missing) + pixels.shape)
    if sorted(names) != sorted(axis_names):
        raise Rejected(f"the axes are {names!r}, not {axis_names!r}")
    return pixels.transpose([names.index(name) for name in axis_names])


def differences(path: Path | str, image: Image) -> list[str]:
    """What an image file, or a judge that refused it, has other than it should; empty where every level is right."""
    if isinstance(path, str):
        return [path]
    try:
        with tifffile.TiffFile(path) as tiff:
            compared(tiff, image, image.levels)
    except TROUBLE as error:
        return [str(error)]
    return []
