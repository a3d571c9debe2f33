"""A small picture of an image, as a viewer shows it at first sight."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from math import prod

import cv2
import numpy as np

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.located import first_image, viewed
from diascope.encodings import jpeg
from diascope.errors import BadRequest, TooLarge
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, read_whole
from diascope.tree.file import File, whole

LARGEST = 1024

MOST = 1 << 31
"""How many stored samples are read for a thumbnail: some seconds' worth, where no coarse level is stored."""


def thumbnail(catalogue: Catalogue, path: str, size: int) -> File:
    """A JPEG whose longer side has at most so many pixels, of a file with several images that of the first.

    Raises as the image does when it is opened, and TooLarge where too much would have to be read.
    """
    if not 1 <= size <= LARGEST:
        raise BadRequest(f"size={size} is not between 1 and {LARGEST}")
    image, identity = viewed(catalogue, first_image(catalogue, path), "render")
    level = fitting(image, size)
    if prod(level.shape) * level.cost > MOST:
        raise TooLarge(f"{path}: without a pyramid {image.size('y')} by {image.size('x')} pixels are not made small")
    etag = sha256(f"{identity}\0thumbnail\0{size}".encode()).hexdigest()[:32]

    def made() -> bytes:
        return catalogue.files.get(etag, lambda: jpeg.encoded(shrunk(level, size)))

    return replace(whole(made, "image/jpeg"), etag=etag)


def fitting(picture: Image, size: int) -> Level:
    """The coarsest level that has as many pixels."""
    return next((each for each in reversed(picture.levels) if max(each.shape[-2:]) >= size), picture.levels[0])


def shrunk(level: Level, size: int) -> Pixels:
    """The picture (y, x, 3) with its longer side at most so many pixels."""
    pixels = np.ascontiguousarray(np.moveaxis(read_whole(level)[:3], 0, -1))
    factor = min(size / max(pixels.shape[:2]), 1.0)
    width, height = (max(round(n * factor), 1) for n in (pixels.shape[1], pixels.shape[0]))
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
