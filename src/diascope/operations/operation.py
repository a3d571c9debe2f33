"""What an operation is, and the helpers that keep tiled reads equal to whole ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from diascope.errors import BadRequest, TooLarge
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region


class Parameters(BaseModel):
    """The parameters of an operation: a documented model, each field with a description, a default and a unit.

    Every field must be spelled as a text in an address; see ``operations/values.py``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


P = TypeVar("P", bound=Parameters)

PLANE_TILE, VOLUME_TILE = 512, 64
"""The sides of the tiles that neighbours are counted for."""

MOST_SPREAD = 8192.0
"""So many times as many pixels as a tile has may be held for it."""

Files: TypeAlias = Callable[[str], bytes]
"""The bytes of a file that lies beside the image, by its name; raises BadRequest where there is none, and TooLarge.

A view that lacks a file is no absent view: readers fill what is absent with zeros."""


def no_files(name: str) -> bytes:
    """For images that lie nowhere; raises BadRequest."""
    raise BadRequest(f"there is no file {name!r}: this image lies in no folder that could hold it")


class Beside(NamedTuple):
    """An image that lies beside another one."""

    version: str
    """What changes when its pixels do."""
    open: Callable[[], Image]
    """Opens it, or gives the one that is open still; raises Unreadable."""


Images: TypeAlias = Callable[[str], Beside]
"""The image in a file beside the image, by its name; raises BadRequest where there is none."""


def no_images(name: str) -> Beside:
    """For images that lie nowhere; raises BadRequest."""
    raise BadRequest(f"there is no image {name!r}: this image lies in no folder that could hold it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[P]):
    """A lazy map from image to image; lengths are physical, never in pixels of a level."""

    name: str
    title: str
    parameters: type[P]
    apply: Callable[[Image, P], Image]
    """Touches no pixel, unless the operation says so. Raises BadRequest where the parameters do not fit the image,
    and Unsupported where no parameters would."""
    settled: Callable[[Image, P, Files], P | str | None] | None = None
    """The view that stands for it on this image, or its parameters with what was found out, where a look at a bounded
    number of pixels or at a file decides; None where the parameters alone do. It is recorded in the canonical spelling,
    so that the look is taken once and every tile agrees. ``apply`` may then take a look at the pixels itself."""
    files: Callable[[P], tuple[str, ...]] | None = None
    """The names of the files beside the image that ``settled`` reads: when one changes, it is asked again."""
    begun: Callable[[bytes], str | None] | None = None
    """The name of a further file that one of these bytes begins from, which is read too; None where there is none."""
    opened: Callable[[Image, P, Images], P | None] | None = None
    """Its parameters with the images beside the image that they name, and these images' versions, which stand in the
    canonical spelling; None where they have them."""
    images: Callable[[P], tuple[str, ...]] | None = None
    """The names of those images: when one changes, ``opened`` is asked again."""
    examples: tuple[str, ...] = ()
    """Canonical spellings that show it; the reference prints them and the contract suite applies them."""


def with_halo(
    level: Level, halo: Ints, function: Callable[[Pixels], Pixels], dtype: np.dtype[Any] | None = None
) -> Level:
    """The level filtered by a function that is given so many neighbours on each side and returns the pixels between.

    Beyond the edges of the level the nearest pixel is repeated, so that a tile sees what the whole would. The function
    keeps the type, or gives the one that is told, and must give a pixel the same value wherever in its array it stands.
    """
    made = level.dtype if dtype is None else dtype
    spread = spread_by(level, halo)

    def read_pixels(region: Region) -> Pixels:
        if 0 in region.shape:
            return np.empty(region.shape, made)
        return with_one_nan(function(with_edges(level, grown(region, halo))))

    return replace(level, dtype=made, read_pixels=read_pixels, spread=spread)


def spread_by(level: Level, halo: Ints) -> float:
    """That of the level after a filter that needs so many neighbours on each side.

    Raises TooLarge where filters of filters need too many: each widens what the one before it is asked for.
    """
    side = VOLUME_TILE if sum(by > 0 for by in halo) > 2 else PLANE_TILE
    tiles = [min(side, size) for size in level.shape]
    wide = (min(tile + 2 * by, size) / tile for tile, by, size in zip(tiles, halo, level.shape, strict=True))
    spread = level.spread * prod(wide)
    if spread > MOST_SPREAD and level.spread > 1:
        raise TooLarge(
            "filters of filters that reach so far would hold too many pixels for each tile: take fewer, or shorter ones"
        )
    return spread


def with_one_nan(pixels: Pixels) -> Pixels:
    """The pixels with one NaN for all: which of two a sum hands on, and of what sign, differs from lane to lane."""
    if pixels.dtype.kind not in "fc" or not (missing := np.isnan(pixels)).any():
        return pixels
    return np.where(missing, pixels.dtype.type(complex(np.nan, np.nan) if pixels.dtype.kind == "c" else np.nan), pixels)


def grown(region: Region, halo: Ints) -> Region:
    """The region with so many pixels more on each side, wherever that leads."""
    return Region(
        tuple(start - by for start, by in zip(region.start, halo, strict=True)),
        tuple(stop + by for stop, by in zip(region.stop, halo, strict=True)),
    )


def with_edges(level: Level, region: Region) -> Pixels:
    """The pixels of a region that may reach out of the level, where the nearest pixel is repeated."""
    inside = region.clipped(level.shape)
    pixels = level.read(inside)
    if inside == region:
        return pixels
    wanted = zip(region.start, inside.start, inside.stop, region.stop, strict=True)
    return np.pad(pixels, [(start - first, last - stop) for first, start, stop, last in wanted], mode="edge")


def mapped(image: Image, function: Callable[[Level], Level], **changes: Any) -> Image:
    """The image with each of its levels mapped, and other fields changed."""
    return replace(image, levels=tuple(map(function, image.levels)), **changes)
