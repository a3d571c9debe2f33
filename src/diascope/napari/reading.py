"""What an address opens in napari: an image under a view, or the images and labels of a whole file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import diascope
from diascope.catalogue.address import LABELS, is_single
from diascope.errors import DiascopeError
from diascope.image.image import Image
from diascope.napari.layers import LayerData, layers
from diascope.napari.server import image_url, path_on_server, server_of
from diascope.python.opening import WEB

MOST_SCENES = 8
"""Of a file with more images the first is opened alone: a plate may have thousands."""


class Shown(NamedTuple):
    """An image that is to become layers."""

    image: Image
    address: str
    visible: bool


class Opened(NamedTuple):
    """The layers of an address."""

    layers: list[LayerData]
    left_out: str
    """What the address has besides, as a sentence; empty where it is all there."""


def opened(address: str) -> Opened:
    """The layers of an image or a file: of several images the first is visible, and labels are hidden at first.

    Raises as ``diascope.open`` does.
    """
    url = image_url(address) if address.startswith(WEB) else address
    shown, left_out = _of_url(url) if url.startswith(WEB) else _of_path(url)
    made = [layer for each in shown for layer in layers(each.image, each.address, visible=each.visible)]
    return Opened(made, left_out)


def _of_path(path: str) -> tuple[list[Shown], str]:
    if not Path(path).exists():
        return [Shown(diascope.open(path), path, visible=True)], ""
    dataset = diascope.open_dataset(path)
    names, left_out = _limited(dataset.images, path)
    images = [
        Shown(dataset.images[name], path if is_single(dataset) else f"{path}/{name}", visible=not number)
        for number, name in enumerate(names)
    ]
    labels = [
        Shown(dataset.labels[name], f"{path}/{LABELS}/{name}", visible=False)
        for name in islice(dataset.labels, MOST_SCENES)
    ]
    return images + labels, left_out


def _of_url(url: str) -> tuple[list[Shown], str]:
    path = path_on_server(url)
    scenes = _scenes(url, path) if path else None
    if not scenes:
        return [Shown(diascope.open(url), url, visible=True)], ""
    server = server_of(url)
    by_role = {role: [path for path, its in scenes if its == role] for role in ("image", LABELS)}
    images, left_out = _limited(by_role["image"], url)
    addresses = [server.address(path) for path in (*images, *by_role[LABELS][:MOST_SCENES])]
    return [Shown(diascope.open(each), each, visible=not k) for k, each in enumerate(addresses)], left_out


def _scenes(url: str, path: str) -> list[tuple[str, str]] | None:
    """Path and role of the images of a file, None where the path does not end at one."""
    try:
        told = server_of(url).described(path)
        if told["stored"] == f"{path}/stored":
            return [(str(each["path"]), str(each["role"])) for each in told["scenes"]]
    except (DiascopeError, KeyError, TypeError):
        # Whatever is wrong, opening it tells.
        pass
    return None


def _limited(names: Iterable[str], address: str) -> tuple[list[str], str]:
    """All the names, or of many the first, and a sentence about the others."""
    few = list(islice(names, MOST_SCENES + 1))
    if len(few) <= MOST_SCENES:
        return few, ""
    rest = f"{address} has more than {MOST_SCENES} images: the first is shown, the others are in Browse Diascope"
    return few[:1], rest
