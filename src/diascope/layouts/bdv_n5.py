"""N5 as BigDataViewer and BigStitcher read it: a dataset a channel and time, and an XML that tells of them.

https://github.com/bigdataviewer/bigdataviewer-core/blob/master/BDV%20N5%20format.md ::

    name.bdv.xml                                       what is opened
    name.bdv.n5/
      attributes.json
      setup{channel}/attributes.json
      setup{channel}/timepoint{time}/attributes.json
      setup{channel}/timepoint{time}/s{level}/attributes.json
      setup{channel}/timepoint{time}/s{level}/{x}/{y}/{z}      a block

Booleans are bytes 0 and 1, float16 becomes float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diascope.image.grid import served_chunk_shape
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.order import moved
from diascope.image.region import Ints
from diascope.layouts.bdv_xml import bdv_xml, voxel_size
from diascope.layouts.layout import Layout
from diascope.layouts.n5_attributes import TYPES, VERSION, factors, stored_type
from diascope.layouts.n5_block import Blocks
from diascope.tree.file import File, Tree, json_file, whole
from diascope.tree.table import Choices, Table, literal

XML = ".bdv.xml"
FOLDER = ".bdv.n5"

MOST_VIEWS = 100_000
"""Channels times times: more are too many for one XML."""


def _xyz(image: Image, values: Ints) -> Ints:
    """The values along x, y and z, one where there is no such axis."""
    named = dict(zip(image.axis_names, values, strict=True))
    return named["x"], named["y"], named.get("z", 1)


def _factors(image: Image, level: int) -> list[float]:
    """By how much a level is coarser than the finest along x, y and z."""
    named = dict(zip(image.axis_names[::-1], factors(image, level), strict=True))
    return [named["x"], named["y"], named.get("z", 1)]


def _blocks(image: Image, level: Level) -> Blocks:
    shape = served_chunk_shape(image.axes, level)
    return Blocks(level=level, axes=image.axis_names, chunk_shape=shape, dtype=stored_type(image))


def _dataset(image: Image, level: int, blocks: Blocks) -> dict[str, Any]:
    """The attributes of a level at one time of one channel."""
    return {
        "dimensions": list(_xyz(image, image.levels[level].shape)),
        "blockSize": list(_xyz(image, blocks.chunk_shape)),
        "dataType": stored_type(image).name,
        "compression": blocks.compression,
        "downsamplingFactors": _factors(image, level),
    }


def _setup(image: Image) -> dict[str, Any]:
    return {
        "downsamplingFactors": [_factors(image, level) for level in range(len(image.levels))],
        "dataType": stored_type(image).name,
    }


def _view(image: Image) -> dict[str, Any]:
    """Of a channel at one time, as Paintera wants it."""
    return {"multiScale": True, "resolution": voxel_size(image).tolist()}


def _tree(image: Image) -> Tree:
    stem = literal(image.name)
    blocks = [_blocks(image, level) for level in image.levels]
    table = Table()
    table.add(f"{stem}{XML}", lambda: whole(lambda: bdv_xml(image, image.name + FOLDER), "application/xml"))
    top = f"{stem}{FOLDER}"
    table.add(f"{top}/attributes.json", lambda: json_file({"n5": VERSION}))
    setups: dict[str, Choices] = {"setup": lambda: range(image.size("c"))}
    table.add(f"{top}/setup{{setup}}/attributes.json", lambda **_: json_file(_setup(image)), **setups)
    views = setups | {"time": lambda **_: range(image.size("t"))}
    top += "/setup{setup}/timepoint{time}"
    table.add(f"{top}/attributes.json", lambda **_: json_file(_view(image)), **views)
    levels = views | {"level": lambda **_: range(len(image.levels))}
    top += "/s{level}"
    table.add(f"{top}/attributes.json", lambda level, **_: json_file(_dataset(image, level, blocks[level])), **levels)
    table.add(f"{top}/{{x}}/{{y}}/{{z}}", lambda **at: _made(image, blocks, **at), **levels, **_cells(image, blocks))
    return table


def _cells(image: Image, blocks: Sequence[Blocks]) -> dict[str, Choices]:
    """The places of blocks along each axis."""

    def along(axis: int) -> Choices:
        def places(level: int, **_: Any) -> range:
            size = _xyz(image, image.levels[level].shape)[axis]
            return range(-(-size // _xyz(image, blocks[level].chunk_shape)[axis]))

        return places

    return {name: along(axis) for axis, name in enumerate("xyz")}


def _made(image: Image, blocks: Sequence[Blocks], *, level: int, setup: int, time: int, **cell: int) -> File:
    """The block at a place in the grid."""
    place = cell | {"c": setup, "t": time}
    index = tuple(place[name] for name in image.axis_names)
    return blocks[level].file(index, lambda pixels: moved(pixels, image.axis_names, "zyx"))


def refusal(image: Image) -> str | None:
    """Why BigDataViewer cannot be served this image."""
    if image.kind == "rgb":
        return "BigDataViewer has no colours in an N5: take the OME-Zarr of this picture, or one of its channels"
    if stored_type(image).name not in TYPES:
        return f"BigDataViewer has no pixels of the type {image.dtype.name}: take the OME-Zarr of this image"
    if image.size("c") * image.size("t") > MOST_VIEWS:
        return "so many channels and times are too many for one XML: take the OME-Zarr of this image, or a part of it"
    return None


layout = Layout(
    name="bdv-n5",
    title="N5 of BigDataViewer",
    suffix=XML,
    companions=(FOLDER,),
    is_folder=False,
    refuses=refusal,
    tree=_tree,
    steps={
        "Fiji": "On a mounted folder: Plugins > BigDataViewer > Open XML/HDF5, and choose the file of {url}",
        "BigStitcher": "On a mounted folder: Plugins > BigStitcher > BigStitcher, and choose the file of {url}",
    },
)
