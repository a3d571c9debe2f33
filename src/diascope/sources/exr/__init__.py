"""OpenEXR pictures: each layer of each part an image (https://openexr.com/en/latest/TechnicalIntroduction.html).

Pixels are those of the data window; where that lies in the display window is told under ``metadata.extra``. Of tiled
pictures with smaller levels the finest one is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.optional import library
from diascope.sources.dataset import Dataset
from diascope.sources.exr.header import MAGIC, Channel, Part, parts
from diascope.sources.reading.blob_file import buffered
from diascope.sources.reading.documents import is_safe
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.coded_picture import CodedPicture, picture_image
from diascope.sources.reading.pictures.decoded import check_size
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".exr",)
COLOURS = (("R", "G", "B"), ("R", "G", "B", "A"))
FULL = (1, 1)


@dataclass(frozen=True, slots=True)
class Layer:
    """Channels of a part that are alike."""

    number: int
    """Of the part."""
    part: Part
    name: str
    channels: tuple[Channel, ...]


def matches(head: Head) -> bool:
    return head.first.startswith(MAGIC)


def opened(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    name = stem(path, SUFFIXES)
    found = parts(blob)
    # All parts are decoded together.
    check_size((1, sum(prod(part.shape(c.sampling)) for part in found for c in part.channels)))
    images = dict(_named(name, list(_layers(found)), blob))
    return Dataset(version=blob.stat.version, images=images, files=(path,))


def _layers(found: tuple[Part, ...]) -> Iterator[Layer]:
    """By the names of channels up to their last point, then by type and sampling."""
    for number, part in enumerate(found):
        groups: dict[tuple[Any, ...], list[Channel]] = {}
        for channel in part.channels:
            layer = channel.name.rpartition(".")[0]
            groups.setdefault((layer, channel.dtype, channel.sampling), []).append(channel)
        for (layer, _, sampling), channels in groups.items():
            across = "" if sampling == FULL else f"every {sampling[0]} by {sampling[1]}"
            name = " ".join(filter(None, (part.name if len(found) > 1 else "", layer, across)))
            yield Layer(number, part, name, tuple(sorted(channels, key=_order)))


def _order(channel: Channel) -> tuple[int, str]:
    """Red, green, blue and opacity first."""
    own = channel.name.rpartition(".")[2]
    place = "RGBA".find(own) if len(own) == 1 else -1
    return (place if place >= 0 else len("RGBA"), own)


def _named(name: str, layers: list[Layer], blob: Blob) -> Iterator[tuple[str, Image]]:
    """By their names; a layer without one is called after the file, and comes first."""
    used: set[str] = set()
    for k, layer in enumerate(sorted(layers, key=lambda layer: (layer.number, layer.name))):
        own = "".join(letter for letter in layer.name if letter.isprintable() and letter not in "/\\").strip(" .")
        each = own or name
        if each in used:
            each = " ".join([own, *(channel.name.rpartition(".")[2] for channel in layer.channels)]).strip()
        each = f"{each} {k}" if each in used or not is_safe(each) else each
        used.add(each)
        yield each, _image(blob, layer, each)


def _image(blob: Blob, layer: Layer, name: str) -> Image:
    sampling = layer.channels[0].sampling
    height, width = layer.part.shape(sampling)
    names = tuple(channel.name.rpartition(".")[2] for channel in layer.channels)
    picture = CodedPicture(
        format="OpenEXR",
        width=width,
        height=height,
        samples=len(names),
        dtype=np.dtype(layer.channels[0].dtype),
        decode=lambda _: _decoded(blob, layer),
        is_colour=names in COLOURS and layer.channels[0].dtype != "uint32",
        names=names,
        extra={
            "compression": layer.part.compression,
            "data_window": [*layer.part.start[::-1], *layer.part.stop[::-1]],
            **layer.part.texts,
        },
    )
    image = picture_image(picture, name)
    if sampling == FULL:
        return image
    scale = (*(1.0,) * (len(image.axes) - 2), *map(float, sampling))
    return replace(image, levels=(replace(image.levels[0], scale=scale),))


def _decoded(blob: Blob, layer: Layer) -> Pixels:
    openexr = library("OpenEXR", "exr")
    with buffered(blob) as stream:
        file = openexr.File(stream, separate_channels=True, num_threads=1)
    found = file.parts[layer.number].channels
    missing = [channel.name for channel in layer.channels if channel.name not in found]
    if missing:
        raise Unreadable(f"the channels {missing} were not decoded")
    planes = [np.asarray(found[channel.name].pixels) for channel in layer.channels]
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


source = Source(
    name="exr",
    title="OpenEXR",
    suffixes=SUFFIXES,
    matches=matches,
    open=opened,
    library="OpenEXR",
    modules=("OpenEXR",),
    extra="exr",
    supports="parts and layers as images, all types and compressions, tiles; no deep pixels",
    is_isolated=True,  # its decoders take what a broken file tells them to
)
