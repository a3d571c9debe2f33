"""Images computed on demand, of any size: the source that tests and benchmarks read."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.axes import axes_named
from diascope.image.image import Image, Kind
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Ints, Region

UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
SPACING = {"t": 1.0, "c": 1.0, "z": 2.0, "y": 0.5, "x": 0.25}
WEIGHTS = {"t": 41, "c": 31, "z": 17, "y": 3, "x": 1}


def ramp(  # noqa: PLR0913
    axes: str,
    shape: Ints,
    dtype: Any = np.uint16,
    *,
    levels: int = 1,
    chunk_shape: Ints | None = None,
    kind: Kind = "intensity",
    name: str = "ramp",
) -> Image:
    """An image whose pixel is the weighted sum of its level-0 indices, modulo what its type can hold.

    No axis looks like another, so that a flip, a transposition and a shift all show. A coarser level has every second
    row and column of the finer one, at the places where they really lie.
    """
    channels = shape[axes.index("c")] if "c" in axes else 1
    return Image(
        name=name,
        kind=kind,
        axes=axes_named(axes, {key: unit for key, unit in UNITS.items() if key in axes}),
        levels=tuple(_level(axes, shape, np.dtype(dtype), 2**k, chunk_shape) for k in range(levels)),
        channels=tuple(Channel(name=f"channel {k}") for k in range(channels)),
    )


def _level(axes: str, shape: Ints, dtype: np.dtype[Any], factor: int, chunk_shape: Ints | None) -> Level:
    factors = tuple(factor if name in "yx" else 1 for name in axes)
    coarse = tuple(-(-size // f) for size, f in zip(shape, factors, strict=True))
    chunk = chunk_shape or tuple(min(n, 64 if name in "zyx" else 1) for name, n in zip(axes, coarse, strict=True))
    largest = 2**8 if dtype.kind in "fb" else min(np.iinfo(dtype).max + 1, 2**31) if dtype.kind in "iu" else 2**8

    def read_pixels(region: Region) -> Pixels:
        total: Any = np.int64(0)
        for d, (name, f) in enumerate(zip(axes, factors, strict=True)):
            along = np.arange(region.start[d], region.stop[d], dtype=np.int64) * f * WEIGHTS[name]
            total = total + along.reshape([-1 if k == d else 1 for k in range(len(axes))])
        return np.asarray(total % (2 if dtype.kind == "b" else largest)).astype(dtype)

    return Level(
        shape=coarse,
        dtype=dtype,
        chunk_shape=chunk,
        scale=tuple(SPACING[name] * f for name, f in zip(axes, factors, strict=True)),
        translation=(0.0,) * len(axes),
        read_pixels=read_pixels,
    )
