"""The image that a path of the REST part names."""

from __future__ import annotations

from diascope.catalogue.address import Found, Scene, found, is_single, scene
from diascope.catalogue.catalogue import Catalogue
from diascope.errors import NotFound
from diascope.image.image import Image
from diascope.operations.view import View


def image_file(catalogue: Catalogue, path: str) -> Found:
    """The image file that a path leads to or through; raises NotFound."""
    place = found(catalogue, path)
    if place is None or place.place.what != "image":
        raise NotFound(f"there is no image at {path!r}")
    return place


def image(catalogue: Catalogue, path: str) -> Scene:
    """The image at a path; raises NotFound, naming what there is where the file has several images."""
    place = image_file(catalogue, path)
    opened = place.repository.opened(place.place)
    within = scene(opened, place.rest)
    if within is None or within.rest:
        names = ", ".join(opened.dataset.images)
        raise NotFound(f"there is no image at {path!r}; the file has: {names[:500]}")
    return within


def first_image(catalogue: Catalogue, path: str) -> str:
    """The path of the image at a path, or of the first one of the file at this path."""
    place = image_file(catalogue, path)
    dataset = place.repository.opened(place.place).dataset
    return path if place.rest or is_single(dataset) else f"{path}/{next(iter(dataset.images))}"


def viewed(catalogue: Catalogue, path: str, steps: str) -> tuple[Image, str]:
    """The image at a path under a view, and the identity of its pixels."""
    within, settled = scene_viewed(catalogue, path, steps)
    return settled.claiming(within.image), f"{within.identity}\0{settled}"


def scene_viewed(catalogue: Catalogue, path: str, steps: str) -> tuple[Scene, View]:
    """The image at a path, and the view that a text spells of it."""
    within = image(catalogue, path)
    place = image_file(catalogue, path)
    return within, place.repository.view(steps, place.place, within.image, within.identity)
