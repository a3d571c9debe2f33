"""Pictures whose pixels tell where they lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, in_memory
from diascope.image.region import Region


def pixels(height: int, width: int, channels: int = 3, blur: float = 0) -> NDArray[np.uint8]:
    """Noise (y, x, c), or (y, x) of one channel, smoothed by so many pixels and as bright as before."""
    noise = np.random.default_rng(height * width).integers(0, 256, (height, width, channels)).astype(np.float64)
    if blur:
        smooth = cv2.GaussianBlur(noise, (0, 0), blur).reshape(noise.shape)
        noise = (smooth - smooth.min()) / np.ptp(smooth) * 255
    plane = np.round(noise).astype(np.uint8)
    return plane[:, :, 0] if channels == 1 else plane


def picture(plane: NDArray[Any], name: str = "picture", chunk: int | None = None, **changes: Any) -> Image:
    """A picture of these pixels, with one level of chunks of this side."""
    grey = plane.ndim == 2
    whole = in_memory(plane if grey else plane.transpose(2, 0, 1))
    sides = (chunk, chunk) if chunk else whole.shape[-2:]
    level = replace(whole, chunk_shape=(*whole.shape[:-2], *sides))
    axes, kind = ("yx", "intensity") if grey else ("cyx", "rgb")
    image = Image(name=name, kind=kind, axes=axes_named(axes), levels=(level,))  # type: ignore[arg-type]  # one of them
    return replace(image, **changes)


def ramp(height: int, width: int, down: float, across: float, level: int = 0) -> Pixels:
    """A slope, floats: what a level whose pixels are means of 2**level has at their centres."""
    factor = 2**level
    rows, columns = -(-height // factor), -(-width // factor)
    y = (np.arange(rows) + 0.5) * factor - 0.5
    x = (np.arange(columns) + 0.5) * factor - 0.5
    return np.asarray(down * y[:, None] + across * x)


def counted(image: Image, reads: list[int]) -> Image:
    """The image, with how many pixels are read at once added to a list."""

    def level(each: Level) -> Level:
        def read_pixels(region: Region) -> Pixels:
            reads.append(int(np.prod(region.shape)))
            return each.read_pixels(region)

        return replace(each, read_pixels=read_pixels)

    return replace(image, levels=tuple(map(level, image.levels)))
