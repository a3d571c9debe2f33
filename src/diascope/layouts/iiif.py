"""IIIF Image API 3.0, level 2 (https://iiif.io/api/image/3.0/), of a picture.

``{stem}.iiif`` is the identifier: its own URL redirects to ``info.json`` (clause 2.2), and below it every region, size,
rotation, quality and format is a file, though only ``info.json`` is listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE, QUALITIES, Request, Size, request
from diascope.layouts.layout import Layout
from diascope.layouts.picture import ENCODINGS, TILE, opaque, refusal, tile_side
from diascope.layouts.resized import resized
from diascope.tree.file import Entry, File, Tree, in_memory, json_file, whole
from diascope.tree.table import Table, literal

CONTEXT = "http://iiif.io/api/image/3/context.json"
MEDIA_TYPE = f'application/ld+json;profile="{CONTEXT}"'
"""Clause 5.1; served whatever the request accepts, which the clause allows."""

INFO = "info.json"
MIDDLE = 128
"""The darkest grey that is white in a bitonal picture."""


def _tree(image: Image) -> Tree:
    stem = f"{literal(image.name)}.iiif"
    size = picture_size(image)

    def info() -> File:
        return _info(image, f"{image.name}.iiif")

    def base() -> File:
        return replace(in_memory(b"", MEDIA_TYPE), moved=INFO)

    def picture(region: str, size_: str, rotation: str, name: str) -> File:
        asked = request(size, region, size_, rotation, name)
        return whole(lambda: answered(image, asked), ENCODINGS[asked.format][1])

    table = Table()
    table.add(f"{stem}/", base)
    table.add(f"{stem}/{INFO}", info)
    table.add(f"{stem}/{{region}}/{{size_}}/{{rotation}}/{{name}}", picture)
    return _Service(table, f"{image.name}.iiif/{INFO}")


@dataclass(frozen=True, slots=True)
class _Service:
    """The table without a folder at the path of the description, which would do for a region's."""

    table: Table
    info: str

    def file(self, path: str) -> File | None:
        return self.table.file(path)

    def entries(self, path: str) -> Iterator[Entry] | None:
        return None if path == self.info or path.startswith(f"{self.info}/") else self.table.entries(path)


def picture_size(image: Image) -> Size:
    height, width = image.shape[-2:]
    return Size(width, height)


def _info(image: Image, identifier: str) -> File:
    """The description, with an absolute identifier where the URL is known (clause 5.2: no slash at its end)."""

    def described(base: str) -> File:
        return json_file(description(image, base), MEDIA_TYPE)

    return replace(described(identifier), located=lambda url: described(url.removesuffix(f"/{INFO}")))


def description(image: Image, identifier: str) -> dict[str, Any]:
    """The Image Information document (clause 5)."""
    width, height = picture_size(image)
    side = tile_side(image) or TILE
    # Contiguous powers of two, and sizes rounded up, are what OpenSeadragon computes.
    factors = [2**k for k in range((-(-max(width, height) // side) - 1).bit_length() + 1)]
    sizes = [Size(-(-width // factor), -(-height // factor)) for factor in reversed(factors)]
    return {
        "@context": CONTEXT,
        "id": identifier,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxWidth": MAX_SIDE,
        "maxHeight": MAX_SIDE,
        "maxArea": MAX_AREA,
        "sizes": [size._asdict() for size in sizes if max(size) <= MAX_SIDE and size.width * size.height <= MAX_AREA],
        "tiles": [{"width": side, "height": side, "scaleFactors": factors}],
        "extraFormats": ["webp"],
        "extraQualities": list(QUALITIES[1:]),
        "extraFeatures": ["mirroring", "sizeUpscaling"],
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
    """The picture in a quality of clause 4.4."""
    if quality == "default":
        return plane
    if quality == "color":
        return np.repeat(plane[:, :, None], 3, axis=2) if plane.ndim == 2 else plane
    grey = plane if plane.ndim == 2 else np.asarray(cv2.cvtColor(opaque(plane), cv2.COLOR_RGB2GRAY))
    return grey if quality == "gray" else np.where(grey >= MIDDLE, 255, 0).astype(np.uint8)


layout = Layout(
    name="iiif",
    title="IIIF Image API 3.0",
    suffix=".iiif",
    is_folder=True,
    refuses=refusal,
    tree=_tree,
    examples=("/full/max/0/default.png", "/square/max/!90/gray.jpg", "/pct:0,0,100,50/^7,9/180/color.webp"),
    steps={
        "OpenSeadragon": 'OpenSeadragon({id: "viewer", tileSources: "{url}info.json"})',
        "Browser": "{url}full/max/0/default.jpg",
    },
    picture=True,
)
