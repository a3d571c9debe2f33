"""Images whose pixels are indices into a palette of colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from diascope.image.image import Image

WEIGHTS = (299, 587, 114)
"""How bright red, green and blue look (ITU-R BT.601)."""


def indexed(image: Image, palette: Sequence[str]) -> Image:
    """The image with its palette; the same image where there is none.

    Where the colours do not grow steadily brighter or darker the mean of two indices has nothing to do with either
    colour: such indices are labels, whose pyramids keep values. A palette that does is a look-up table of intensities.
    """
    if not palette or image.dtype.kind != "u":
        return image
    metadata = replace(image.metadata, palette=tuple(palette))
    kind = image.kind if _is_ramp(palette) or "c" in image.axis_names else "labels"
    return replace(image, kind=kind, metadata=metadata)


def _is_ramp(palette: Sequence[str]) -> bool:
    brightness = [sum(w * b for w, b in zip(WEIGHTS, bytes.fromhex(colour), strict=True)) for colour in palette]
    steps = [after - before for before, after in pairwise(brightness)]
    return all(step >= 0 for step in steps) or all(step <= 0 for step in steps)
