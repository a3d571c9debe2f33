"""Where an address points: repository, dataset, image and what is left of the path behind it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.repository import Opened, Place, Repository, Sight
from diascope.image.image import Image
from diascope.sources.dataset import Dataset

LABELS = "labels"
ASSOCIATED = "associated"


class Found(NamedTuple):
    """How far a path leads."""

    repository: Repository
    place: Place
    rest: str
    """What is left of the path behind the place, empty for folders."""
    sight: Sight
    """That of the repository before the path was walked."""


class Scene(NamedTuple):
    """One image of a dataset."""

    image: Image
    identity: str
    """Of its pixels, unlike any other's on this server."""
    rest: str
    """What is left of the path behind the image: view and file."""


def found(catalogue: Catalogue, path: str) -> Found | None:
    """The place that a path leads to, its first name being the repository; None where there is nothing."""
    name, _, rest = path.partition("/")
    repository = catalogue.repositories.get(name)
    if repository is None:
        return None
    sight = repository.sight()
    walked = repository.walked(rest)
    return Found(repository, *walked, sight) if walked else None


def is_single(dataset: Dataset) -> bool:
    """Whether the dataset's one image stands at the file's own path, not in a folder of scenes."""
    # The length of a plate would cost a look at each of its wells.
    return len(list(islice(dataset.images, 2))) == 1


def scene(opened: Opened, path: str) -> Scene | None:
    """The image of a dataset that a path within it begins with.

    A single image has the empty name; several are folders by their names; ``labels/{name}`` and
    ``associated/{name}`` come before both.
    """
    dataset = opened.dataset
    for prefix, images in ((f"{LABELS}/", dataset.labels), (f"{ASSOCIATED}/", dataset.associated)):
        if path.startswith(prefix) and (name := _longest(images, path[len(prefix) :])):
            return _scene(opened, images[name], f"{prefix}{name}", path)
    if is_single(dataset):
        name = next(iter(dataset.images))
        return Scene(dataset.images[name], f"{opened.identity}\0", path)
    if name := _longest(dataset.images, path):
        return _scene(opened, dataset.images[name], name, path)
    return None


def _scene(opened: Opened, image: Image, name: str, path: str) -> Scene:
    return Scene(image, f"{opened.identity}\0{name}", path[len(name) :].lstrip("/"))


def _longest(names: object, path: str) -> str | None:
    """The beginning of the path that is a name, at a slash or the end."""
    parts = path.split("/")
    return next(
        (name for k in range(len(parts), 0, -1) if (name := "/".join(parts[:k])) in names),  # type: ignore[operator]
        None,
    )


def scene_names(dataset: Dataset) -> Iterator[str]:
    """Every path within the dataset that is an image, the single image being ``""``."""
    yield from ("",) if is_single(dataset) else dataset.images
    yield from (f"{LABELS}/{name}" for name in dataset.labels)
    yield from (f"{ASSOCIATED}/{name}" for name in dataset.associated)
