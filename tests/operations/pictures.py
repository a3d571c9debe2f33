"""Images that the tests of operations share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from diascope.image.axes import axes_named
from diascope.image.image import Image, Kind
from diascope.image.level import in_memory, read_whole
from diascope.image.metadata import Channel
from diascope.image.pyramid import halved
from diascope.operations.view import view
from diascope.testing.synthetic import UNITS


def pictured(  # noqa: PLR0913
    pixels: Any,
    axes: str,
    *,
    kind: Kind = "intensity",
    scale: Iterable[float] | None = None,
    translation: tuple[float, ...] | None = None,
    channels: tuple[Channel, ...] = (),
    levels: int = 1,
    units: dict[str, str] | None = None,
) -> Image:
    """An image of these pixels, its coarser levels halved along y, x and z."""
    level = in_memory(np.asarray(pixels), scale)
    made = [replace(level, translation=translation or level.translation)]
    for _ in range(levels - 1):
        factors = tuple(2 if n in "zyx" and s > 1 else 1 for n, s in zip(axes, made[-1].shape, strict=True))
        made.append(halved(made[-1], factors, kind))
    known = {name: unit for name, unit in (UNITS if units is None else units).items() if name in axes}
    return Image(name="it", kind=kind, axes=axes_named(axes, known), levels=tuple(made), channels=channels)


def seen(text: str, image: Image, level: int = 0) -> Any:
    """All the pixels of a level under a view."""
    return read_whole(view(text).applied(image).levels[level])


def noise(shape: tuple[int, ...], dtype: Any = np.uint16, highest: int = 60_000) -> Any:
    """The same pixels at each call."""
    return np.random.default_rng(7).integers(0, highest, shape).astype(dtype)
