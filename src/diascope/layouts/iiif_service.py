"""The files of a IIIF image service, of any version of the Image API.

The identifier is a folder: its own URL redirects to ``info.json``, and below it every region, size, rotation, quality
and format is a file, though only ``info.json`` is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE, Request, Size
from diascope.layouts.passing import JpegTiles, jpeg_tiles
from diascope.layouts.picture import ENCODINGS, TILE, opaque, tile_side
from diascope.layouts.resized import exact_levels, resized
from diascope.tree.file import Entry, File, Tree, in_memory, json_file, whole
from diascope.tree.table import Table, literal

INFO = "info.json"
MIDDLE = 128
"""The darkest grey that is white in a bitonal picture."""

EXAMPLES = ("/full/max/0/default.png", "/square/max/!90/gray.jpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Wherein versions of the Image API differ."""

    suffix: str
    """Of the identifier."""
    media_type: str
    """Of the description."""
    description: Callable[[Image, str], dict[str, Any]]
    """The Image Information document of a picture under an identifier."""
    request: Callable[[Size, str, str, str, str], Request]
    """What region, size, rotation, and quality and format spell."""


def service(image: Image, version: Version) -> Tree:
    """The files of a picture."""
    stem = literal(image.name + version.suffix)
    size = picture_size(image)
    stored = stored_tiles(image)

    def base() -> File:
        return replace(in_memory(b"", version.media_type), moved=INFO)

    def picture(region: str, size_: str, rotation: str, name: str) -> File:
        asked = version.request(size, region, size_, rotation, name)

        def make() -> bytes:
            return answered(image, asked)

        return stored.file(asked, make) or whole(make, ENCODINGS[asked.format][1])

    table = Table()
    table.add(f"{stem}/", base)
    table.add(f"{stem}/{INFO}", lambda: _info(image, version))
    table.add(f"{stem}/{{region}}/{{size_}}/{{rotation}}/{{name}}", picture)
    return _Service(table, f"{image.name}{version.suffix}/{INFO}")


@dataclass(frozen=True, slots=True, eq=False)
class StoredTiles:
    """What of a picture is passed on as it is stored."""

    qualities: tuple[str, ...]
    """Those that leave the picture as it is."""
    levels: dict[int, JpegTiles]
    """By how many times they are smaller than the picture."""

    def file(self, asked: Request, make: Callable[[], bytes]) -> File | None:
        """The file of a request that asks for just the pixels of a chunk; None of any other."""
        (x, y, width, height), (columns, rows) = asked.box, asked.size
        factor = width // columns
        tiles = self.levels.get(factor)
        if tiles is None or asked.format != "jpg" or asked.quality not in self.qualities:
            return None
        is_exact = (width, height) == (factor * columns, factor * rows) and not (x % factor or y % factor)
        if not is_exact or asked.mirrored or asked.turns or 1 in asked.size:
            return None
        x, y = x // factor, y // factor
        return tiles.file(range(y, y + rows), range(x, x + columns), make)


def stored_tiles(image: Image) -> StoredTiles:
    """Those of the levels of a picture that are shown as they are."""
    found = {factor: jpeg_tiles(image, image.levels[k]) for factor, k in exact_levels(image).items()}
    qualities = ("default", "color") if image.kind == "rgb" else ("default",)
    return StoredTiles(qualities, {factor: tiles for factor, tiles in found.items() if tiles})


@dataclass(frozen=True, slots=True)
class _Service:
    """The table without a folder at the path of the description, which would do for a region's."""

    table: Table
    info: str

    def file(self, path: str) -> File | None:
        return self.table.file(path)

    def entries(self, path: str) -> Iterator[Entry] | None:
        return None if path == self.info or path.startswith(f"{self.info}/") else self.table.entries(path)


def _info(image: Image, version: Version) -> File:
    """The description, with an absolute identifier where the URL is known, without a slash at its end."""

    def described(base: str) -> File:
        return json_file(version.description(image, base), version.media_type)

    located = described(image.name + version.suffix)
    return replace(located, located=lambda url: described(url.removesuffix(f"/{INFO}")))


def picture_size(image: Image) -> Size:
    height, width = image.shape[-2:]
    return Size(width, height)


def offered(image: Image) -> dict[str, Any]:
    """The sizes and tiles that cost least, in the words that all versions share."""
    width, height = picture_size(image)
    side = tile_side(image) or TILE
    # Contiguous powers of two, and sizes rounded up, are what OpenSeadragon computes.
    factors = [2**k for k in range((-(-max(width, height) // side) - 1).bit_length() + 1)]
    sizes = [Size(-(-width // factor), -(-height // factor)) for factor in reversed(factors)]
    return {
        "sizes": [size._asdict() for size in sizes if max(size) <= MAX_SIDE and size.width * size.height <= MAX_AREA],
        "tiles": [{"width": side, "height": side, "scaleFactors": factors}],
    }


def answered(image: Image, asked: Request) -> bytes:
    """The encoded picture."""
    x, y, width, height = asked.box
    plane = resized(image, range(y, y + height), range(x, x + width), asked.size.height, asked.size.width)
    plane = coloured(plane, asked.quality)
    if asked.mirrored:
        plane = plane[:, ::-1]
    return ENCODINGS[asked.format][0](np.rot90(plane, -asked.turns))


def coloured(plane: Pixels, quality: str) -> Pixels:
    """The picture in a quality."""
    if quality == "default":
        return plane
    if quality == "color":
        return np.repeat(plane[:, :, None], 3, axis=2) if plane.ndim == 2 else plane
    grey = plane if plane.ndim == 2 else np.asarray(cv2.cvtColor(opaque(plane), cv2.COLOR_RGB2GRAY))
    return grey if quality == "gray" else np.where(grey >= MIDDLE, 255, 0).astype(np.uint8)
