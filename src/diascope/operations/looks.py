"""The look at an image's pixels that decides what an operation does: few of them, evenly spread, always the same."""

from __future__ import annotations

from collections.abc import Iterator

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.sample import planes, sampled_level

MOST = 1 << 21
"""How many pixels are looked at, about."""

COLOURS = 3


def look(image: Image, channels: range | None = None) -> Iterator[Pixels]:
    """Planes or blocks of a coarse level, of all channels but opacity, or of these alone."""
    level = image.levels[sampled_level(image, MOST)]
    if "c" not in image.axis_names:
        yield from planes(level, image.axis_names, MOST)
        return
    wanted = channels if channels is not None else visible(image)
    for channel in wanted:
        yield from planes(level, image.axis_names, MOST // len(wanted), {"c": channel})


def visible(image: Image) -> range:
    """The channels that are not opacity."""
    return range(min(image.size("c"), COLOURS) if image.kind == "rgb" else image.size("c"))


def refuse_unordered(image: Image) -> None:
    """Raise Unsupported where pixels are no intensities of which one is brighter than another."""
    if image.kind == "labels":
        raise Unsupported("labels are names, of which none is brighter than another; render shows them in colours")
    if image.dtype.kind == "c":
        raise Unsupported("complex numbers have no order; window makes bytes of their magnitude")
