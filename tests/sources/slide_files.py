"""Tiny slides of scanners: a MIRAX slide, as https://openslide.org/formats/mirax/ describes it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

IDENTITY = "0123456789ABCDEF0123456789ABCDEF"
VERSION = "01.02"
TILE = 64
ACROSS, DOWN = 4, 3

FILL = (0xFF, 0xEE, 0xDD)
"""Red, green and blue where nothing was scanned."""

MISSING = {(0, 3), (2, 0), (2, 1)}
"""Rows and columns of tiles that are not there."""


def smooth() -> NDArray[np.uint8]:
    """Colours that JPEG keeps nearly as they are."""
    y, x = np.mgrid[: DOWN * TILE, : ACROSS * TILE]
    planes = [x * 255 / x.max(), y * 255 / y.max(), (x + y) * 255 / (x + y).max()]
    return np.stack(planes, axis=-1).astype(np.uint8)


def tiles(level: int) -> dict[tuple[int, int], NDArray[np.uint8]]:
    """The tiles of a level by the row and column, at level 0, of their first; each level halves and joins four."""
    if level == 0:
        pixels = smooth()
        places = [(y, x) for y in range(DOWN) for x in range(ACROSS) if (y, x) not in MISSING]
        return {(y, x): pixels[y * TILE :, x * TILE :][:TILE, :TILE] for y, x in places}
    finer, step = tiles(level - 1), 1 << level
    joined = {}
    for y in range(0, DOWN, step):
        for x in range(0, ACROSS, step):
            four = np.empty((2 * TILE, 2 * TILE, 3), np.uint8)
            four[:] = FILL
            for dy in range(2):
                for dx in range(2):
                    part = finer.get((y + dy * step // 2, x + dx * step // 2))
                    if part is not None:
                        four[dy * TILE :, dx * TILE :][:TILE, :TILE] = part
            joined[y, x] = four[::2, ::2]
    return joined


def mrxs(path: Path, levels: int = 2) -> None:
    """A slide and its folder, of tiles without overlap."""
    folder = path.with_suffix("")
    folder.mkdir()
    path.write_bytes(imagecodecs.jpeg_encode(np.ascontiguousarray(smooth()[::8, ::8]), level=90))
    data, records = bytearray(), []
    for level in range(levels):
        page = []
        for (y, x), pixels in tiles(level).items():
            packed = imagecodecs.jpeg_encode(np.ascontiguousarray(pixels), level=97, subsampling="444")
            page.append((y * ACROSS + x, len(data), len(packed), 0))
            data += packed
        records.append(page)
    (folder / "Data0000.dat").write_bytes(data)
    (folder / "Index.dat").write_bytes(index(records))
    (folder / "Slidedat.ini").write_text(slidedat(levels), encoding="utf-8-sig")


def index(records: list[list[tuple[int, int, int, int]]]) -> bytes:
    """Version, identity, where the table of levels and that of other records is; then tables and pages.

    Each level's record is 0 and where its first page is; a page is its length, where the next one is, and items of
    place, offset, length and file.
    """
    start = len(VERSION) + len(IDENTITY) + 8
    table = start
    pages = table + 4 * len(records)
    body, pointers = b"", []
    for page in records:
        at = pages + len(body)
        pointers.append(at)
        body += struct.pack("<ii", 0, at + 8) + struct.pack("<ii", len(page), 0)
        body += b"".join(struct.pack("<iiii", *item) for item in page)
    roots = struct.pack("<ii", table, pages + len(body))
    return (VERSION + IDENTITY).encode() + roots + struct.pack(f"<{len(pointers)}i", *pointers) + body


def slidedat(levels: int) -> str:
    sections = "\n".join(
        f"HIER_0_VAL_{k} = ZoomLevel_{k}\nHIER_0_VAL_{k}_SECTION = LAYER_0_LEVEL_{k}_SECTION" for k in range(levels)
    )
    described = "\n".join(level_section(k) for k in range(levels))
    return f"""[GENERAL]
SLIDE_VERSION = 01.02
SLIDE_ID = {IDENTITY}
SLIDE_NAME = Doe Jane
SLIDE_CREATIONDATETIME = 31/12/2009 23:59:58
IMAGENUMBER_X = {ACROSS}
IMAGENUMBER_Y = {DOWN}
OBJECTIVE_MAGNIFICATION = 20
OBJECTIVE_NAME = Plan-Apochromat
CameraImageDivisionsPerSide = 1
[HIERARCHICAL]
HIER_COUNT = 1
NONHIER_COUNT = 0
INDEXFILE = Index.dat
HIER_0_NAME = Slide zoom level
HIER_0_COUNT = {levels}
{sections}
[DATAFILE]
FILE_COUNT = 1
FILE_0 = Data0000.dat
{described}
"""


def level_section(k: int) -> str:
    red, green, blue = FILL
    return f"""[LAYER_0_LEVEL_{k}_SECTION]
IMAGE_CONCAT_FACTOR = {int(k > 0)}
OVERLAP_X = 0
OVERLAP_Y = 0
MICROMETER_PER_PIXEL_X = {0.25 * (1 << k)}
MICROMETER_PER_PIXEL_Y = {0.5 * (1 << k)}
IMAGE_FILL_COLOR_BGR = {blue << 16 | green << 8 | red}
DIGITIZER_WIDTH = {TILE}
DIGITIZER_HEIGHT = {TILE}
IMAGE_FORMAT = JPEG"""


def mrxs_flat(path: Path) -> None:
    mrxs(path, levels=1)


SAMPLES: dict[str, Callable[[Path], None]] = {"scan.mrxs": mrxs, "flat.mrxs": mrxs_flat}
