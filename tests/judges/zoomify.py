"""Pillow as the judge of Zoomify: tiers put together from tiles as OpenLayers numbers them."""

from __future__ import annotations

import io
from collections.abc import Callable
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Read = Callable[[str], bytes]


def properties(data: bytes) -> tuple[int, int, int, int]:
    """Width, height, the side of tiles and how many there are."""
    root = ET.fromstring(data)  # noqa: S314 — ours
    assert (root.tag, root.attrib["NUMIMAGES"]) == ("IMAGE_PROPERTIES", "1")
    width, height, side, count = (int(root.attrib[name]) for name in ("WIDTH", "HEIGHT", "TILESIZE", "NUMTILES"))
    return width, height, side, count


def grids(width: int, height: int, side: int) -> list[tuple[int, int]]:
    """Columns and rows of the tiers, coarsest first: tiles that grow until one holds the picture."""
    found = []
    while True:
        found.append((-(-width // side), -(-height // side)))
        if found[-1] == (1, 1):
            return found[::-1]
        side *= 2


def assembled(read: Read, folder: str) -> list[NDArray[np.uint8]]:
    """Every tier, coarsest first, as RGB."""
    width, height, side, count = properties(read(f"{folder}/ImageProperties.xml"))
    tiers, number = [], 0
    cut = grids(width, height, side)
    for tier, (columns, rows) in enumerate(cut):
        factor = 2 ** (len(cut) - 1 - tier)
        across, down = -(-width // factor), -(-height // factor)
        canvas = Pillow.new("RGB", (across, down))
        for y in range(rows):
            for x in range(columns):
                tile = Pillow.open(io.BytesIO(read(f"{folder}/TileGroup{number // 256}/{tier}-{x}-{y}.jpg")))
                expected = (min(side, across - x * side), min(side, down - y * side))
                assert tile.size == expected, f"tile {tier}-{x}-{y} is {tile.size}, not {expected}"
                canvas.paste(tile, (x * side, y * side))
                number += 1
        tiers.append(np.asarray(canvas))
    assert number == count, f"{count} tiles are told, and there are {number}"
    return tiers
