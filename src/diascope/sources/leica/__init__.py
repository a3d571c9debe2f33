"""Leica LIF, LOF, XLIF and XLEF (Leica Image File Formats 3.2, of which liffile and Bio-Formats are other readings).

Every image of a file is one, in its folders; every tile of a mosaic is an image, with its place on the stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.units import METRES, SECONDS, named
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.leica.blocks import OBJECT_FILE, Memory, is_binary, memories, object_memory, text_at
from diascope.sources.leica.facts import channels, metadata
from diascope.sources.leica.layout import SPACE, TIMES, Layout, layout
from diascope.sources.leica.pictures import Frame, Pictures
from diascope.sources.leica.project import frames, members
from diascope.sources.leica.tree import Named, images, parsed, titles, version
from diascope.sources.reading.beside import fingerprint
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.sources.source import Head, Source, stat_version
from diascope.stores.store import Store

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUFFIXES = (".lif", ".lof", ".xlif", ".xlef", ".xlcf")
XML = (".xlif", ".xlef", ".xlcf")
ROOT = "<LMSDataContainerHeader"
SMALLEST_TILES = 1 << 18


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the memory of an image is."""

    read: ReadBytes
    start: int
    size: int
    """As many bytes as are there."""


@dataclass(frozen=True, slots=True)
class Part:
    """An image of a file before it is opened."""

    named: Named
    pixels: Callable[[], Pixels]
    title: str
    """Of its format."""


def _matches(head: Head) -> bool:
    encoded = (ROOT.encode(), ROOT.encode("utf-16-le"), ROOT.encode("utf-16-be"))
    return is_binary(head.first) or (head.name.endswith(XML) and any(each in head.first for each in encoded))


def _open(store: Store, path: str) -> Dataset:
    parts, files = _project(store, path) if path.lower().endswith(XML) else (_binary(store, path), [path])
    if not parts:
        raise Unreadable("it has no image, or those that it refers to are not there")
    single = len(parts) == 1
    names = [stem(path, SUFFIXES)] if single else titles([part.named for part in parts])
    tiled: dict[str, tuple[Part, int]] = {}
    for name, part in zip(names, parts, strict=True):
        count = _tiles(part.named.element)
        tiled |= {f"{name} tile {k + 1}" if count > 1 else name: (part, k) for k in range(count)}

    def made(name: str) -> Image:
        return _image(name, *tiled[name])

    return Dataset(version=_version(store, path), images=Lazily(tiled, made), files=tuple(files))


def _binary(store: Store, path: str) -> list[Part]:
    blob = store.open(path)
    text, at = text_at(blob, 0)
    if text == OBJECT_FILE:
        memory, at = object_memory(blob, at)
        root = parsed(text_at(blob, at)[0])
        return [Part(each, lambda: _checked(blob.read, memory), "Leica LOF") for each in images(root)][:1]
    root = parsed(text)
    blocks = memories(blob, at, version(root))

    def pixels(named: Named) -> Callable[[], Pixels]:
        return lambda: _checked(blob.read, blocks.get(named.memory))

    return [Part(each, pixels(each), "Leica LIF") for each in images(root)]


def _checked(read: ReadBytes, memory: Memory | None) -> Pixels:
    if memory is None:
        raise Unreadable("the memory block with its pixels is missing")
    if memory.there < memory.size:
        raise Unreadable(f"the file is cut: of its pixels {memory.there} bytes of {memory.size} are there")
    return Pixels(read, memory.start, memory.size)


def _project(store: Store, path: str) -> tuple[list[Part], list[str]]:
    found, files = members(store, path)
    parts: list[Part] = []
    for member in found:
        held = list(frames(store, member))
        files += [frame.path for frame in held if frame.path not in files]
        pixels = partial(_held, store, held)
        parts += [Part(each, pixels, "Leica XLEF") for each in images(member.root, member.folders)][:1]
    return parts, files


def _held(store: Store, held: list[Frame]) -> Pixels:
    """The memory that lies in other files."""
    if len(held) == 1 and held[0].path.lower().endswith(".lof"):
        blob = held[0].opened(store)
        memory, _ = object_memory(blob, text_at(blob, 0)[1])
        return _checked(blob.read, memory)
    if not held or held[0].path.lower().endswith((".ome.tif", ".aivia.tif", ".lof")):
        raise Unreadable("its pixels lie in files of a kind that is not supported here")
    return Pixels(Pictures(store, held).read, 0, max(frame.start + frame.size for frame in held))


def _tiles(element: Element) -> int:
    """How many; one where the description cannot be understood, which opening the image then tells."""
    image = element.find("Data/Image")
    try:
        count = len(layout(image).tiles) if image is not None else 1
    except Unreadable:
        return 1
    return count if count < SMALLEST_TILES else 1


def _image(name: str, part: Part, tile: int) -> Image:
    image = part.named.element.find("Data/Image")
    if image is None:
        raise Unreadable("it has no image")
    found, pixels = layout(image), part.pixels()
    if found.stop > pixels.size or found.pixels * found.dtype.itemsize > pixels.size:
        raise Unreadable(f"{pixels.size} bytes cannot hold {found.shape} pixels of {found.dtype}")
    told = metadata(image, found, tile)
    spacing = _spacing(found)
    units = {axis: unit for axis, (_, unit) in spacing.items()}
    return Image(
        name=name.rpartition("/")[2],
        kind="rgb" if found.is_rgb else "intensity",
        axes=axes_named(found.axes, units),
        levels=(_level(found, pixels, tile, spacing),),
        channels=() if found.is_rgb else channels(image, found),
        metadata=replace(told, format=part.title),
    )


def _level(found: Layout, pixels: Pixels, tile: int, spacing: dict[str, tuple[float, str]]) -> Level:
    start = pixels.start + found.tiles[tile]
    return Level(
        shape=found.shape,
        dtype=found.dtype.newbyteorder("="),
        chunk_shape=found.chunk_shape,
        scale=tuple(spacing.get(axis, (1.0, ""))[0] for axis in found.axes),
        translation=(0.0,) * len(found.axes),
        read_pixels=lambda region: found.read_pixels(pixels.read, start, region),
    )


def _spacing(found: Layout) -> dict[str, tuple[float, str]]:
    """The distances that are known, lengths in micrometres."""
    known: dict[str, tuple[float, str]] = {}
    for axis in found.axes.replace("c", ""):
        given = found.dimension(*([TIMES[0]] if axis == "t" else [k for k, name in SPACE.items() if name == axis]))
        unit, step = named(given.unit if given else None), given.spacing if given else None
        if unit in SECONDS and axis == "t" and step:
            known[axis] = (step, unit)
        if unit in METRES and axis != "t" and step:
            known[axis] = (step * METRES[unit] / METRES["micrometer"], "micrometer")
    return known


def _version(store: Store, path: str) -> str:
    """Of all the files that it is made of; one that is missing adds nothing."""
    if not path.lower().endswith(XML):
        return stat_version(store, path)
    try:
        found, files = members(store, path)
        held = [frame.path for member in found for frame in frames(store, member)]
    except Unreadable:
        return fingerprint(store, [path])
    return fingerprint(store, dict.fromkeys([path, *files, *held]))


source = Source(
    name="leica",
    title="Leica LIF, LOF, XLEF",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    version=_version,
    supports="series in folders, tiles of mosaics, time, stacks, channels, wavelengths, RGB; no lifetimes",
)
