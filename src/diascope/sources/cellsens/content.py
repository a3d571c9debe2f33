"""What opening a VSI file gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from diascope.errors import Changed, Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.metadata import Metadata
from diascope.sources.cellsens.ets import COMPRESSIONS, Ets, ets
from diascope.sources.cellsens.pyramid import Pyramid
from diascope.sources.cellsens.stack import Stack, stacks
from diascope.sources.cellsens.volume import tree
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.beside import fingerprint
from diascope.sources.reading.blob_file import buffered
from diascope.sources.reading.names.natural import natural
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.decoded import check_size, decoded_level
from diascope.sources.source import stat_version
from diascope.stores.store import Blob, Store

LONGEST_TREE = 1 << 26
"""Bytes of a VSI file that are looked at for properties."""

MOST_FILES = 1 << 12
FOLDER = re.compile(r"stack(\d+)", re.IGNORECASE)


class Part(NamedTuple):
    """An ETS file and what is known of its stack."""

    path: str
    stack: Stack
    version: str
    """When the dataset was opened."""

    def opened(self, store: Store) -> Ets:
        """Raises Changed where the file is another one by now: its tiles would not be those of the version."""
        blob = store.open(self.path)
        if blob.stat.version != self.version:
            raise Changed(f"{self.path}: it has changed since it was opened")
        return ets(blob)


def opened(store: Store, path: str) -> Dataset:
    """Its stacks as images; the picture in the VSI file itself is a thumbnail, or the image where there is no other."""
    blob = store.open(path)
    told = stacks(tree(blob.read(0, min(blob.stat.size, LONGEST_TREE))))
    parts = [
        Part(each, told.get(_number(each), Stack()), stat_version(store, each)) for each in _pixel_files(store, path)
    ]
    name = stem(path, (".vsi",))
    files = (path, *(part.path for part in parts))
    images = _images(store, [part for part in parts if not part.stack.kind], name)
    beside = {part.stack.kind: part for part in reversed(parts) if part.stack.kind}
    pictures = Lazily([*beside, "thumbnail"], lambda each: _beside(store, blob, beside.get(each), each))
    if not images:
        images = Lazily([name], lambda each: _thumbnail(blob, each))
        pictures = Lazily(beside, lambda each: _beside(store, blob, beside[each], each))
    return Dataset(version=fingerprint(store, files), images=images, associated=pictures, files=files)


def version(store: Store, path: str) -> str:
    """Of the VSI file and those with its pixels."""
    return fingerprint(store, (path, *_pixel_files(store, path)))


def _pixel_files(store: Store, path: str) -> list[str]:
    """The ETS files of a VSI file, by the numbers of their stacks."""
    folder, _, file = path.rpartition("/")
    inside = f"{folder}/_{stem(file, ('.vsi',))}_".removeprefix("/")
    if store.stat(inside) is None:
        return []
    found = []
    for name, is_folder in store.names(inside):
        if is_folder and FOLDER.fullmatch(name):
            names = (each for each, _ in store.names(f"{inside}/{name}") if each.lower().endswith(".ets"))
            found += [f"{inside}/{name}/{each}" for each in names]
        if len(found) > MOST_FILES:
            raise Unreadable(f"it has more than {MOST_FILES} files of pixels")
    return sorted(found, key=natural)


def _number(path: str) -> int:
    found = FOLDER.fullmatch(path.split("/")[-2])
    return int(found[1]) if found and len(found[1]) < 10 else -1


def _images(store: Store, parts: list[Part], name: str) -> Mapping[str, Image]:
    names = [name] if len(parts) == 1 else safe_names(part.stack.name or part.path.split("/")[-2] for part in parts)
    by_name = dict(zip(names, parts, strict=True))
    return Lazily(by_name, lambda each: _image(store, by_name[each], each))


def _beside(store: Store, blob: Blob, part: Part | None, name: str) -> Image:
    return _image(store, part, name) if part else _thumbnail(blob, name)


def _image(store: Store, part: Part, name: str) -> Image:
    file, stack = part.opened(store), part.stack
    pyramid = Pyramid(file, stack)
    channels = stack.channels if len(stack.channels) == pyramid.sizes.get("c", 1) and not pyramid.is_rgb else ()
    extra = {**stack.metadata.extra, "compression": COMPRESSIONS[file.compression]}
    return Image(
        name=name,
        kind="rgb" if pyramid.is_rgb and file.dtype.kind == "u" else "intensity",
        axes=axes_named(pyramid.axes, {axis: "second" if axis == "t" else "micrometer" for axis in stack.spacing}),
        levels=pyramid.levels(),
        channels=channels,
        metadata=replace(stack.metadata, extra=extra),
    )


def _thumbnail(blob: Blob, name: str) -> Image:
    """The picture in the VSI file itself."""
    import tifffile

    with tifffile.TiffFile(buffered(blob)) as file:
        page = file.pages.first
        check_size(tuple(int(side) for side in page.shape))
        pixels = np.ascontiguousarray(page.asarray(maxworkers=1))
    if pixels.ndim not in {2, 3} or (pixels.ndim > 2 and pixels.shape[2] not in {3, 4}):
        raise Unreadable(f"its picture has the shape {pixels.shape}")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return Image(
        name=name,
        kind="rgb" if pixels.ndim > 2 else "intensity",
        axes=axes_named("cyx" if pixels.ndim > 2 else "yx"),
        levels=(decoded_level(pixels.shape, pixels.dtype, lambda _: pixels),),
        metadata=Metadata(format="cellSens VSI"),
    )
