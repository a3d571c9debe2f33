"""Images of every kind of TIFF that is passed on, or is not, and what counts how much of them is."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import tifffile

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.region import Ints
from diascope.image.stored import stored_as
from diascope.tree.file import Tree
from tests.tiff_tiles import RGB, decoded, halves, jpeg_tiff, smooth, unnamed, with_photometric

Make = Callable[[Path], object]


def _colours(side: int = 256, **options: Any) -> Make:
    return lambda path: jpeg_tiff(path, halves(smooth(600, 700), side), "ycbcr", side, **options)


def _plain(dtype: str, shape: Ints = (600, 700), tile: tuple[int, int] | None = (256, 256), **options: Any) -> Make:
    def make(path: Path) -> None:
        pixels = np.random.default_rng(7).integers(0, 200, shape).astype(dtype)
        kind = "rgb" if shape[-1] == 3 else "minisblack"
        tifffile.imwrite(path, pixels, tile=tile, photometric=kind, metadata=None, **options)

    return make


def _progressive(stream: bytes) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(decoded(stream)).save(out, "JPEG", progressive=True)
    return out.getvalue()


def _said_rgb(path: Path) -> Path:
    """As Aperio writes: red, green and blue that only the tag tells of."""
    made = jpeg_tiff(path, halves(smooth(600, 700)), "ycbcr", shared=False, change=unnamed, **RGB)
    return with_photometric(made, 2)


def _rounded_down(path: Path) -> Path:
    """A second level that lacks the last row of its tiles, which a size rounded up has."""
    planes = [smooth(1023, 1200), smooth(511, 600)]
    return jpeg_tiff(path, planes, "ycbcr")


def _planes(path: Path) -> None:
    """A stack of three planes of JPEG tiles."""
    pixels = np.stack([smooth(300, 520) // (k + 1) for k in range(3)])
    options: dict[str, Any] = {"photometric": "rgb", "compression": "jpeg", "metadata": {"axes": "ZYXS"}}
    tifffile.imwrite(path, pixels, tile=(256, 256), ome=True, **options)


FILES: dict[str, tuple[Make, str | None]] = {
    "ycbcr": (_colours(), "jpeg"),
    "ycbcr-444": (_colours(subsampling="444"), "jpeg"),
    "ycbcr-422": (_colours(subsampling="422"), "jpeg"),
    "adobe-rgb": (_colours(**RGB), "jpeg"),
    "said-rgb": (_said_rgb, "jpeg"),
    "own-tables": (_colours(shared=False), "jpeg"),
    "large-tiles": (_colours(512), "jpeg"),
    "rounded-down": (_rounded_down, "jpeg"),
    "planes": (_planes, "jpeg"),
    "grey": (lambda path: jpeg_tiff(path, halves(smooth(600, 700, 1)), "minisblack"), "jpeg"),
    "strip": (lambda path: tifffile.imwrite(path, smooth(200, 250), photometric="rgb", compression="jpeg"), "jpeg"),
    "small-tiles": (_colours(128), "jpeg"),
    "progressive": (_colours(shared=False, change=_progressive), None),
    "raw": (_plain("<u2"), "raw"),
    "raw-big-endian": (_plain(">u2", byteorder=">"), "raw"),
    "raw-colours": (_plain("u1", (600, 700, 3)), "raw"),
    "raw-strips": (_plain("<u2", tile=None), "raw"),
    "raw-planes": (_plain("<u2", (3, 300, 520)), "raw"),
    "zlib": (_plain("<u2", compression="zlib"), "zlib"),
    "zlib-predicted": (_plain("<u2", compression="zlib", predictor=True), None),
    "zlib-strips": (_plain("<u2", tile=None, rowsperstrip=128, compression="zlib"), "zlib"),
    "zstd": (_plain("<f4", compression="zstd"), "zstd"),
    "lzw": (_plain("<u2", compression="lzw"), None),
}
"""How they are written, and the codec that the first level tells."""


def opener(folder: Path) -> Callable[[str], Image]:
    """What opens the image of a name, written to a folder when it is first asked for."""
    found: dict[str, Image] = {}

    def image(name: str) -> Image:
        if name not in found:
            suffix = "ome.tif" if name == "planes" else "tif"
            FILES[name][0](folder / f"{name}.{suffix}")
            found[name] = opened_file(folder / f"{name}.{suffix}").images[name]
        return found[name]

    return image


def each_level(image: Image, change: Callable[[Level], Level]) -> Image:
    return replace(image, levels=tuple(map(change, image.levels)))


def stripped(image: Image) -> Image:
    """The same image, of which nothing is told as it is stored."""
    return each_level(image, replace)


def counted(image: Image, count: Counter[str]) -> Image:
    """The image that counts its chunks that are passed on."""

    def counting(level: Level) -> Level:
        stored = level.stored
        if stored is None:
            return level

        def chunk(index: Ints) -> bytes | None:
            data = stored.chunk(index)
            count["passed"] += data is not None
            return data

        return stored_as(level, replace(stored, chunk=chunk))

    return each_level(image, counting)


def read(tree: Tree, path: str) -> bytes:
    file = tree.file(path)
    assert file is not None, path
    return file.read(0, None)
