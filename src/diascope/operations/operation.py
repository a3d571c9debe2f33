"""What an operation is, and the helpers that keep tiled reads equal to whole ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region


class Parameters(BaseModel):
    """The parameters of an operation: a documented model, each field with a description, a default and a unit.

    Every field must be spelled as a text in an address; see ``operations/view.py``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[P]):
    """A lazy map from image to image; lengths are physical, never in pixels of a level."""

    name: str
    title: str
    parameters: type[P]
    apply: Callable[[Image, P], Image]
    """Touches no pixel, unless the operation says so. Raises BadRequest where the parameters do not fit the image."""


def pointwise(level: Level, dtype: np.dtype[Any], function: Callable[[Pixels], Pixels]) -> Level:
    """The level with each pixel mapped by itself."""
    return replace(level, dtype=dtype, read_pixels=lambda region: function(level.read(region)))


def with_halo(level: Level, halo: Ints, function: Callable[[Pixels], Pixels]) -> Level:
    """The level filtered by a function that needs so many neighbours on each side and keeps the shape.

    Beyond the edges of the level the nearest pixel is repeated, so that a tile sees what the whole would.
    """

    def read_pixels(region: Region) -> Pixels:
        grown = Region(
            tuple(start - by for start, by in zip(region.start, halo, strict=True)),
            tuple(stop + by for stop, by in zip(region.stop, halo, strict=True)),
        )
        inside = grown.clipped(level.shape)
        outside = [
            (at.start - wanted.start, wanted.stop - at.stop)
            for wanted, at in zip(grown.slices, inside.slices, strict=True)
        ]
        pixels = function(np.pad(level.read(inside), outside, mode="edge"))
        return pixels[tuple(slice(by, size - by) for by, size in zip(halo, pixels.shape, strict=True))]

    return replace(level, read_pixels=read_pixels)


def mapped(image: Image, function: Callable[[Level], Level], **changes: Any) -> Image:
    """The image with each of its levels mapped, and other fields changed."""
    return replace(image, levels=tuple(map(function, image.levels)), **changes)
