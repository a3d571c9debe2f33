"""Pillow as the judge of Deep Zoom: levels put together from tiles as a viewer does that trusts the descriptor."""

from __future__ import annotations

import io
from collections.abc import Callable
from math import ceil, log2
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image as Pillow

from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.order import moved
from diascope.image.pyramid import dyadic

NAMESPACE = "{http://schemas.microsoft.com/deepzoom/2008}"

Read = Callable[[str], bytes]


def descriptor(data: bytes) -> tuple[int, int, int, int, str]:
    """Width, height, tile size, overlap and format, as a viewer reads them."""
    root = ET.fromstring(data)  # noqa: S314 — ours
    size = root.find(f"{NAMESPACE}Size")
    assert root.tag == f"{NAMESPACE}Image"
    assert size is not None
    numbers = (size.attrib["Width"], size.attrib["Height"], root.attrib["TileSize"], root.attrib["Overlap"])
    width, height, side, overlap = map(int, numbers)
    return width, height, side, overlap, root.attrib["Format"]


def assembled(read: Read, stem: str) -> list[np.ndarray]:
    """Every level, coarsest first, of the image ``{stem}.dzi``, as RGBA."""
    width, height, side, overlap, ending = descriptor(read(f"{stem}.dzi"))
    levels = []
    top = ceil(log2(max(width, height)))
    for depth in range(top + 1):
        across, down = (-(-size // 2 ** (top - depth)) for size in (width, height))
        canvas = Pillow.new("RGBA", (across, down))
        for y in range(-(-down // side)):
            for x in range(-(-across // side)):
                tile = Pillow.open(io.BytesIO(read(f"{stem}_files/{depth}/{x}_{y}.{ending}")))
                left, upper = (overlap if place else 0 for place in (x, y))
                expected = tuple(
                    min(place * side + side + overlap, size) - place * side + before
                    for place, size, before in ((x, across, left), (y, down, upper))
                )
                assert tile.size == expected, f"tile {depth}/{x}_{y} is {tile.size}, not {expected}"
                canvas.paste(tile, (x * side - left, y * side - upper))
        levels.append(np.asarray(canvas))
    return levels


def expected(image: Image) -> list[np.ndarray]:
    """Every level of the pyramid as RGBA, coarsest first."""
    levels = []
    for level in dyadic(image).levels[::-1]:
        plane = moved(read_whole(level), image.axis_names, "yxc" if image.kind == "rgb" else "yx")
        levels.append(np.asarray(Pillow.fromarray(np.ascontiguousarray(plane)).convert("RGBA")))
    return levels
