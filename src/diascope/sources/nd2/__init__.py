"""Nikon ND2, its metadata decoded by nd2 (https://tlambert03.github.io/nd2/), its frames read where they lie.

Positions are images. The pixels of colour cameras lie as blue, green and red.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.optional import library
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.nd2.chunks import HEADER, MAGIC, SIGNATURE, Chunks, chunks, span
from diascope.sources.nd2.experiment import Position, positions
from diascope.sources.nd2.facts import Facts
from diascope.sources.nd2.frames import Frames, look
from diascope.sources.nd2.pages import Cursor, Pages
from diascope.sources.nd2.variants import check
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

SUFFIXES = (".nd2",)
UNITS = {"t": "second", "x": "micrometer", "y": "micrometer", "z": "micrometer"}
OLD = b"\0\0\0\x0cjP  \r\n\x87\n"
"""How the first files of this name began: as JPEG 2000."""

DECODED = "ImageAttributes", "ImageMetadataSeq", "ImageMetadata", "ImageTextInfo"


def _matches(head: Head) -> bool:
    if head.name.endswith(SUFFIXES) and head.first.startswith(OLD):
        return True
    return head.first.startswith(MAGIC.to_bytes(4, "little")) and head.first[HEADER.size :].startswith(SIGNATURE)


def _open(store: Store, path: str) -> Dataset:
    nd2 = library("nd2", "nd2")
    blob = store.open(path)
    pages = Pages(blob)
    if pages.read(0, len(OLD)) == OLD:
        raise Unreadable("an ND2 of before 2009, which is a JPEG 2000 with more behind it, is not supported")
    found = chunks(blob, pages)
    is_new = _version(pages) >= (3, 0)
    names = [f"{name}{'LV' if is_new else ''}{'|0' if 'Seq' in name else ''}!" for name in DECODED]
    for name in names:
        if name.encode() in found.places:
            check(name, pages.read(*span(pages, found.places[name.encode()], name.encode())))
    with nd2.ND2File(Cursor(pages)) as file:
        shape, facts = look(file.attributes), _facts(file, names, found, pages)
        count = int(file.attributes.sequenceCount)
        raw = _raw(file, names[2], "SLxExperiment") if names[2].encode() in found.places else {}
        places = positions(facts.loops, raw, count)
    title = stem(path, SUFFIXES)
    titles = (
        [title] if len(places) == 1 else safe_names(each.name or f"position-{k + 1}" for k, each in enumerate(places))
    )
    by_title = dict(zip(titles, places, strict=True))

    def made(name: str) -> Image:
        position = by_title[name]
        return _image(Frames(found, shape, position.first, position.loops, count), facts, position, name)

    return Dataset(version=blob.stat.version, images=Lazily(titles, made), files=(path,))


def _version(pages: Pages) -> tuple[int, int]:
    start, stop = span(pages, 0, SIGNATURE)
    text = pages.read(start, min(stop, start + 8)).decode("latin-1")
    if not (text[3:4].isdecimal() and text[5:6].isdecimal()):
        raise Unreadable(f"{text!r} is no version of ND2")
    return int(text[3]), int(text[5])


def _raw(file: Any, name: str, key: str) -> Any:
    """A chunk in its own words."""
    found = file.unstructured_metadata(strip_prefix=False, include={name.removesuffix("!")})
    content: Any = next(iter(found.values()), {})
    return content.get(key, content) if isinstance(content, dict) else {}


def _facts(file: Any, names: list[str], found: Chunks, pages: Pages) -> Facts:
    picture = _raw(file, names[1], "SLxPictureMetadata")
    return Facts(
        version=".".join(map(str, file.version)),
        channels=list(file.metadata.channels or ()),
        picture=picture if isinstance(picture, dict) else {},
        text=file.text_info,
        loops=list(file.experiment),
        times=_times(found, pages),
        bits=int(file.attributes.bitsPerComponentSignificant),
    )


def _times(found: Chunks, pages: Pages) -> np.ndarray[Any, np.dtype[np.float64]]:
    name = b"CustomData|AcqTimesCache!"
    if name not in found.places:
        return np.empty(0, np.float64)
    data = pages.read(*span(pages, found.places[name], name))
    return np.frombuffer(data[: len(data) // 8 * 8], "<f8")


def _image(frames: Frames, facts: Facts, position: Position, name: str) -> Image:
    spacing, axes = facts.spacing(frames), frames.axes
    level = Level(
        shape=frames.shape,
        dtype=frames.look.dtype,
        chunk_shape=frames.chunk_shape,
        scale=tuple(spacing.get(axis, 1.0) for axis in axes),
        translation=(0.0,) * len(axes),
        read_pixels=frames.read_pixels,
    )
    return Image(
        name=name,
        kind="rgb" if frames.look.is_rgb else "intensity",
        axes=axes_named(axes, {axis: UNITS[axis] for axis in spacing}),
        levels=(level,),
        channels=() if frames.look.is_rgb else facts.channel_list(frames.look.components),
        metadata=facts.metadata(position, frames),
    )


source = Source(
    name="nd2",
    title="Nikon ND2",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    library="nd2",
    modules=("nd2",),
    extra="nd2",
    supports="positions as images, time series, stacks, channels, RGB, lossless packing; no JPEG 2000 of before 2009",
)
