"""A small picture of an image, as a viewer shows it at first sight."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import cv2
import numpy as np

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.located import viewed
from diascope.encodings import jpeg
from diascope.errors import BadRequest
from diascope.image.image import Image
from diascope.image.level import Pixels, read_whole
from diascope.tree.file import File, whole

LARGEST = 1024


def thumbnail(catalogue: Catalogue, path: str, size: int) -> File:
    """A JPEG whose longer side has at most so many pixels; raises as the image does when it is opened."""
    if not 1 <= size <= LARGEST:
        raise BadRequest(f"size={size} is not between 1 and {LARGEST}")
    image, identity = viewed(catalogue, path, "render")
    etag = sha256(f"{identity}\0thumbnail\0{size}".encode()).hexdigest()[:32]

    def made() -> bytes:
        return catalogue.files.get(etag, lambda: jpeg.encoded(shrunk(image, size)))

    return replace(whole(made, "image/jpeg"), etag=etag)


def shrunk(picture: Image, size: int) -> Pixels:
    """The picture (y, x, 3) with its longer side at most so many pixels, out of the coarsest level that has as many."""
    level = next((each for each in reversed(picture.levels) if max(each.shape[-2:]) >= size), picture.levels[0])
    pixels = np.ascontiguousarray(np.moveaxis(read_whole(level)[:3], 0, -1))
    factor = min(size / max(pixels.shape[:2]), 1.0)
    width, height = (max(round(n * factor), 1) for n in (pixels.shape[1], pixels.shape[0]))
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
