"""All the images of a file on a Diascope server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from diascope.catalogue.address import ASSOCIATED, LABELS
from diascope.catalogue.description import MOST_SCENES
from diascope.errors import BadRequest, TooLarge, Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset, Lazily
from diascope.stores.http import HttpStore
from diascope.stores.web import asked, body

LARGEST = 1 << 26
"""Bytes of what a server tells of a file, its metadata included."""
PREFIXES = {LABELS: f"{LABELS}/", ASSOCIATED: f"{ASSOCIATED}/"}


class Told(NamedTuple):
    """An image of a file."""

    role: str
    name: str
    url: str


def server_dataset(url: str, image: Callable[[str], Image], version: Callable[[Image], str]) -> Dataset | None:
    """The dataset at the address of a file; None where it is another address, or another server.

    Each image is opened when it is first asked for. Raises TooLarge where the server does not tell of all of them.
    """
    told = _told(url.rstrip("/"))
    if told is None:
        return None
    if len(told) >= MOST_SCENES:
        raise TooLarge(f"{url} has more images than the {MOST_SCENES} a server tells of: open them by their addresses")

    def images(role: str) -> Lazily[Image]:
        urls = {each.name: each.url for each in told if each.role == role}
        return Lazily(urls, lambda name: image(urls[name]))

    found = images("image")
    if not found:
        raise Unreadable(f"{url}: the server tells of no image")
    stored = _stored_version(url.rstrip("/")) or version(found[next(iter(found))])
    return Dataset(version=stored, images=found, labels=images(LABELS), associated=images(ASSOCIATED))


def _told(url: str) -> list[Told] | None:
    base, data, path = url.partition("/data/")
    if not data or urlsplit(url).query or urlsplit(url).fragment:
        return None
    try:
        response = asked("GET", f"{base}/api/image/{path}")
    except BadRequest:
        # What stands behind the file is no image: a view, or a folder of Zarr.
        return None
    document = _document(body(response, LARGEST)) if response is not None else None
    if document is None or document["stored"] != f"{unquote(path)}/stored":
        return None
    store = HttpStore(f"{base}/data/")
    return list(_images(document["scenes"], store))


def _stored_version(url: str) -> str:
    """That of the file as it lies; nothing where it is a folder."""
    name = unquote(url.rpartition("/")[2])
    stat = HttpStore(f"{url}/stored/").stat(name)
    return "" if stat is None or stat.is_folder else stat.version


def _document(data: bytes) -> dict[str, Any] | None:
    """What a Diascope server tells of an image, None where it is something else."""
    try:
        document = json.loads(data)
        texts = [document["stored"], *(each[key] for each in document["scenes"] for key in ("name", "path", "role"))]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return dict(document) if all(isinstance(text, str) for text in texts) else None


def _images(scenes: list[dict[str, str]], store: HttpStore) -> Iterator[Told]:
    for each in scenes:
        role, name = each["role"], each["name"]
        yield Told(role, name.removeprefix(PREFIXES.get(role, "")), store.url(each["path"]))
