"""N5 datasets, a multiscale group of them as n5-viewer, BigDataViewer and Neuroglancer read it.

https://github.com/saalfeldlab/n5#file-system-specification; https://github.com/saalfeldlab/n5-viewer ::

    name.n5/
      attributes.json
      s{level}/attributes.json
      s{level}/{x}/{y}/{z}/{c}/{t}      a block, of those axes that the image has

Booleans are bytes 0 and 1, float16 becomes float32.
"""

from __future__ import annotations

from collections.abc import Sequence

from diascope.image.grid import served_chunk_shape
from diascope.image.image import Image
from diascope.image.region import grid_shape
from diascope.layouts.layout import Layout
from diascope.layouts.n5_attributes import TYPES, dataset, group, stored_type
from diascope.layouts.n5_block import Blocks
from diascope.tree.file import File, Tree, json_file
from diascope.tree.table import Choices, Table, literal

SUFFIX = ".n5"


def _tree(image: Image) -> Tree:
    levels = [
        Blocks(
            level=level,
            axes=image.axis_names,
            chunk_shape=served_chunk_shape(image.axes, level),
            dtype=stored_type(image),
        )
        for level in image.levels
    ]
    root = literal(image.name + SUFFIX)
    table = Table()
    table.add(f"{root}/attributes.json", lambda: json_file(group(image)))
    table.add(
        f"{root}/s{{level}}/attributes.json",
        lambda level: json_file(dataset(image, level, levels[level])),
        level=lambda: range(len(levels)),
    )
    _add_blocks(table, root, image, levels)
    return table


def _add_blocks(table: Table, root: str, image: Image, levels: Sequence[Blocks]) -> None:
    """One file a block, in a folder for each axis but the slowest."""
    grids = [grid_shape(blocks.level.shape, blocks.chunk_shape) for blocks in levels]
    names = image.axis_names

    def along(axis: int) -> Choices:
        return lambda level, **_: range(grids[level][axis])

    def made(level: int, **index: int) -> File:
        return levels[level].file(tuple(index[name] for name in names), lambda pixels: pixels)

    places = {name: along(names.index(name)) for name in reversed(names)}
    pattern = "/".join(f"{{{name}}}" for name in reversed(names))
    table.add(f"{root}/s{{level}}/{pattern}", made, level=lambda: range(len(levels)), **places)


def refusal(image: Image) -> str | None:
    """Why N5 cannot hold this image."""
    if stored_type(image).name in TYPES:
        return None
    return f"N5 has no pixels of the type {image.dtype.name}: take the OME-Zarr of this image"


layout = Layout(
    name="n5",
    title="N5",
    suffix=SUFFIX,
    is_folder=True,
    refuses=refusal,
    tree=_tree,
    steps={
        "Fiji": "Plugins > BigDataViewer > HDF5/N5/Zarr/OME-NGFF Viewer, and paste {url}",
        "Neuroglancer": "Add a layer with the source {url}|n5:",
        "Python": 'import tensorstore; pixels = tensorstore.open({"driver": "n5", "kvstore": "{url}s0/"}).result()'
        ".read().result()",
    },
)
