"""Images opened by the path of a file or the URL of a server, which know how to be opened again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from diascope.bounded import BoundedCache
from diascope.catalogue.address import ASSOCIATED, LABELS, is_single, scene
from diascope.catalogue.beside import LARGEST_BESIDE, bytes_beside, found_beside
from diascope.catalogue.distant import is_cloud, located, opened_at
from diascope.catalogue.opening import Owner, default_cache, opened, opened_file, source_of
from diascope.catalogue.repository import Opened
from diascope.errors import BadRequest, NotFound, TooLarge
from diascope.image.image import Image, opened_by
from diascope.operations.operation import Beside
from diascope.operations.view import ORIGINAL, view
from diascope.python.server import MARKERS, Representation, representation
from diascope.python.server_dataset import server_dataset
from diascope.registry import registry
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.source import Source

WEB = ("http://", "https://")

REOPENED = 64
"""How many files are kept open for images that came from another process, a task at a time."""


class Place(NamedTuple):
    """A file or folder that is an image, and what of an address is left behind it."""

    address: str
    """An absolute path, the URL of a Zarr hierarchy, or that of a file in a store."""
    rest: str


@dataclass(frozen=True, slots=True)
class Origin:
    """How an image was opened: calling it opens it, reading no more than the metadata."""

    address: str
    scene: str
    """Within the file, empty for its only image; ``labels/{name}`` and ``associated/{name}`` are scenes too."""
    view: str

    def __call__(self) -> Image:
        dataset = _reopened.get((self.address, _version(self.address)), lambda: _dataset(self.address))
        return _viewed(_scene(dataset, self.scene), self)


def image(address: str | PathLike[str]) -> Image:
    """The image at a path or URL, with the scene and the view behind it; of several images the first."""
    place = _place(address)
    dataset = _dataset(place.address)
    within = scene(Opened(dataset, ""), place.rest) if place.rest else None
    if within is None and place.rest and not is_single(dataset):
        names = ", ".join(dataset.images)
        raise NotFound(f"there is no image {place.rest!r} in {place.address}; it has: {names[:500]}")
    text = within.rest if within else ""
    name = place.rest[: len(place.rest) - len(text)].rstrip("/") if within else _first(dataset)
    return _viewed(_scene(dataset, name), Origin(place.address, name, text or ORIGINAL))


def dataset(address: str | PathLike[str]) -> Dataset:
    """All the images of a file; raises BadRequest where a path leads farther than to a file."""
    text = os.fspath(address)
    if text.startswith(WEB) and (found := server_dataset(text, image, _image_version)):
        return found
    place = _place(address)
    if place.rest:
        raise BadRequest(f"{os.fspath(address)}: a dataset is a whole file, so {place.rest!r} cannot stand behind it")
    return _known(place.address, _dataset(place.address))


def _image_version(image: Image) -> str:
    origin = image.origin
    return _version(origin.address) if isinstance(origin, Origin) else ""


def _known(address: str, dataset: Dataset) -> Dataset:
    """The dataset with each image knowing its origin."""
    single = is_single(dataset)

    def known(images: Mapping[str, Image], scene: Callable[[str], str]) -> Mapping[str, Image]:
        return Lazily(images, lambda name: opened_by(images[name], Origin(address, scene(name), ORIGINAL)))

    return replace(
        dataset,
        images=known(dataset.images, lambda name: "" if single else name),
        labels=known(dataset.labels, lambda name: f"{LABELS}/{name}"),
        associated=known(dataset.associated, lambda name: f"{ASSOCIATED}/{name}"),
    )


def _first(dataset: Dataset) -> str:
    return "" if is_single(dataset) else next(iter(dataset.images))


def _scene(dataset: Dataset, name: str) -> Image:
    within = scene(Opened(dataset, ""), name)
    if within is None or within.rest:
        raise NotFound(f"there is no image {name!r} any more")
    return within.image


def _viewed(image: Image, origin: Origin) -> Image:
    steps = view(origin.view).settled(image, partial(_beside, origin.address), partial(_image_beside, origin.address))
    return opened_by(steps.applied(image), replace(origin, view=str(steps)))


def _beside(address: str, name: str) -> bytes:
    """The bytes of a file in the folder of an image."""
    if is_cloud(address):
        found = located(address)
        return bytes_beside(found.store, found.path.rpartition("/")[0], name)
    file = _file_beside(address, name)
    if file.stat().st_size > LARGEST_BESIDE:
        raise TooLarge(f"{file}: over the limit of {LARGEST_BESIDE} bytes")
    return file.read_bytes()


def _image_beside(address: str, name: str) -> Beside:
    """The first image of a file in the folder of an image."""
    if is_cloud(address):
        found = located(address)
        path, _ = found_beside(found.store, found.path.rpartition("/")[0], name, or_folder=True)
        beside = f"{found.url}/{path}"
        return Beside(_version(beside), Origin(beside, "", ORIGINAL))
    folder = Path(address).with_name(name)
    file = str(folder if _is_image(folder) else _file_beside(address, name))
    return Beside(_version(file), Origin(file, "", ORIGINAL))


def _file_beside(address: str, name: str) -> Path:
    file = Path(address).with_name(name)
    if address.startswith(WEB) or not file.is_file():
        raise BadRequest(f"there is no file {name!r} beside {address}")
    return file


def _place(address: str | PathLike[str]) -> Place:
    """The longest part of an address that is there; raises NotFound."""
    text = os.fspath(address)
    if text.startswith(WEB):
        return _web_place(text)
    if is_cloud(text):
        return _distant_place(text)
    full = Path(text).absolute()
    there = next((each for each in (full, *full.parents) if os.path.lexists(each)), full)
    if there != full and there.is_dir() and not _is_image(there):
        raise NotFound(f"there is no file {text!r}")
    rest = "" if there == full else full.relative_to(there).as_posix()
    return Place(str(there), rest)


def _web_place(url: str) -> Place:
    """An image on a Diascope server, a Zarr hierarchy, or a file on any server that answers ranges."""
    try:
        return Place(representation(url).url, "")
    except NotFound as error:
        try:
            return _distant_place(url)
        except NotFound:
            raise error from None


def _distant_place(url: str) -> Place:
    found = located(url)
    if found.stat.is_folder and source_of(found.store, found.path, found.stat) is None:
        raise NotFound(f"there is no image at {url!r}")
    return Place(found.address, found.rest)


def _is_image(folder: Path) -> bool:
    markers = {marker for source in registry("sources").values() for marker in source.markers}
    return any((folder / marker).is_file() for marker in markers)


def _dataset(address: str) -> Dataset:
    if is_cloud(address):
        return opened_at(address)
    if not address.startswith(WEB):
        return opened_file(address)
    store, name = Representation(address).located
    if not any(store.stat(f"{name}/{marker}") for marker in MARKERS):
        return opened_at(address)
    source: Source = registry("sources")["zarr"]
    return opened(source, store, name, Owner(store.base, default_cache()))


def _version(address: str) -> str:
    """Changes when the file does, at the cost of one look or two."""
    if is_cloud(address):
        found = located(address)
        source = source_of(found.store, found.path, found.stat)
        return source.version(found.store, found.path) if source else found.stat.version
    if not address.startswith(WEB):
        # What is in a folder may change while the folder does not.
        inside = (Path(address) / name for name in ("zarr.json", ".zarray", ".zattrs"))
        looks = [each.stat() for each in (Path(address), *filter(Path.exists, inside))]
        return "-".join(f"{look.st_mtime_ns}-{look.st_size}-{look.st_ino}" for look in looks)
    store, name = Representation(address).located
    places = (f"{name}/zarr.json", f"{name}/.zattrs", name)
    return next((stat.version for place in places if (stat := store.stat(place))), "")


_reopened: BoundedCache[Dataset] = BoundedCache(REOPENED, weigh=lambda _: 1)
