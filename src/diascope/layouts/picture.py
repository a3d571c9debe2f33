"""Images that are pictures: one plane of 8-bit grey, RGB or RGB with opacity, as picture layouts show them."""

from __future__ import annotations

import cv2
import numpy as np

from diascope.encodings import jpeg, png, webp
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.order import moved
from diascope.image.region import Region

TILE = 256
SIDES = range(192, 512 + 1)
"""The sides of a source's square chunks that are worth taking over as the sides of tiles; scanners like 240."""

WHITE = 255


def refusal(image: Image) -> str | None:
    """Why an image is no picture, as a sentence that names the way out; None where it is one."""
    return f"{reason}; the view 'render' makes a picture of it" if (reason := _reason(image)) else None


def _reason(image: Image) -> str | None:
    if image.kind == "labels":
        return "labels are numbers without colours"
    for name, size in zip(image.axis_names, image.shape, strict=True):
        if size != 1 and name not in ("cyx" if image.kind == "rgb" else "yx"):
            return f"a picture is one plane, and this image has {size} along the axis {name}"
    return None if image.dtype == np.uint8 else f"a picture has 8 bits a sample, and this image is of {image.dtype}"


def pixels(picture: Image, level: Level, rows: range, columns: range) -> Pixels:
    """Rows and columns of a level of a picture as (y, x) grey or (y, x, 3 or 4) colours, side by side in memory."""
    box = {"y": rows, "x": columns, "c": range(level.shape[picture.axis_names.find("c")])}
    sides = [box.get(name, range(1)) for name in picture.axis_names]
    region = Region(tuple(side.start for side in sides), tuple(side.stop for side in sides))
    plane = moved(level.read(region), picture.axis_names, "yxc" if picture.kind == "rgb" else "yx")
    if plane.ndim == 3 and plane.strides[2] > plane.strides[1]:
        # A tenth of the time that numpy takes to bring the colours of a pixel together.
        return np.asarray(cv2.merge([np.ascontiguousarray(plane[:, :, k]) for k in range(plane.shape[2])]))
    return plane


def tile_side(picture: Image) -> int | None:
    """The side of the source's chunks where they are squares of about 256 or 512 pixels: tiles that cost one each."""
    height, width = picture.levels[0].chunk_shape[-2:]
    return width if height == width and width in SIDES else None


def opaque(plane: Pixels) -> Pixels:
    """The picture before white, where it has an opacity."""
    if plane.ndim == 2 or plane.shape[2] != 4:
        return plane
    opacity = plane[:, :, 3:].astype(np.uint16)
    blended = plane[:, :, :3] * opacity + WHITE * (WHITE - opacity)
    return ((blended + WHITE // 2) // WHITE).astype(np.uint8)


def jpeg_bytes(plane: Pixels) -> bytes:
    return jpeg.encoded(opaque(plane))


ENCODINGS = {
    "jpg": (jpeg_bytes, "image/jpeg"),
    "png": (png.encoded, "image/png"),
    "webp": (webp.encoded, "image/webp"),
}
"""How a picture is encoded and the media type, by the ending of a name."""
