"""A level of an image as a dask array (https://docs.dask.org/en/stable/array.html)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.order import Selection
from diascope.image.region import Ints
from diascope.optional import library

WORTH = 1 << 20
"""Bytes of a piece that are worth a task of dask's."""


@dataclass(frozen=True, slots=True, eq=False)
class LevelArray:
    """A level as dask reads arrays; it pickles as its image does."""

    image: Image
    number: int

    @property
    def shape(self) -> Ints:
        return self.image.levels[self.number].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.image.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, key: Any) -> Pixels:
        selection = Selection.of(key, self.shape)
        return selection.taken(self.image.levels[self.number].read(selection.region))


def dask_array(image: Image, number: int = 0) -> Any:
    """The level in pieces of whole chunks; its tasks hold nothing but how the image is opened."""
    array = library("dask.array", "python")
    level = image.levels[number]
    return array.from_array(
        LevelArray(image, number),
        chunks=piece_shape(image.axis_names, level),
        name=False,
        inline_array=True,
        meta=np.empty((0,) * len(level.shape), level.dtype),
    )


def piece_shape(axes: str, level: Level) -> Ints:
    """The level's chunk, doubled along its shortest spatial side until it is worth a task, or the whole."""
    piece = [min(chunk, size) for chunk, size in zip(level.chunk_shape, level.shape, strict=True)]
    spatial = [d for d, name in enumerate(axes) if name in "zyx"]
    while prod(piece) * level.dtype.itemsize < WORTH:
        short = [d for d in spatial if piece[d] < level.shape[d]]
        if not short:
            break
        shortest = min(short, key=lambda d: (piece[d], d != len(axes) - 1))
        piece[shortest] *= 2
    return tuple(min(side, size) for side, size in zip(piece, level.shape, strict=True))
