"""N5 datasets, a multiscale group of them as n5-viewer, BigDataViewer and Neuroglancer read it.

https://github.com/saalfeldlab/n5#file-system-specification; https://github.com/saalfeldlab/n5-viewer ::

    name.n5/
      attributes.json
      s{level}/attributes.json
      s{level}/{x}/{y}/{z}/{c}/{t}      a block, of those axes that the image has

Booleans are bytes 0 and 1, float16 becomes float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from diascope.image.grid import served_chunk_shape
from diascope.image.image import Image
from diascope.image.region import Ints, chunk_region, grid_shape
from diascope.layouts.layout import Layout
from diascope.layouts.n5_attributes import TYPES, dataset, group, stored_type
from diascope.layouts.n5_block import block
from diascope.tree.file import File, Tree, json_file, whole
from diascope.tree.table import Choices, Table, literal

SUFFIX = ".n5"


def _tree(image: Image) -> Tree:
    shapes = [served_chunk_shape(image.axes, level) for level in image.levels]
    root = literal(image.name + SUFFIX)
    table = Table()
    table.add(f"{root}/attributes.json", lambda: json_file(group(image)))
    table.add(
        f"{root}/s{{level}}/attributes.json",
        lambda level: json_file(dataset(image, level, shapes[level])),
        level=lambda: range(len(shapes)),
    )
    _add_blocks(table, root, image, shapes)
    return table


def _add_blocks(table: Table, root: str, image: Image, shapes: Sequence[Ints]) -> None:
    """One file a block, in a folder for each axis but the slowest."""
    grids = [grid_shape(level.shape, shape) for level, shape in zip(image.levels, shapes, strict=True)]
    names = image.axis_names

    def along(axis: int) -> Choices:
        return lambda level, **_: range(grids[level][axis])

    def made(level: int, **index: int) -> File:
        place = tuple(index[name] for name in names)
        region = chunk_region(place, shapes[level]).clipped(image.levels[level].shape)
        make: Callable[[], bytes] = lambda: block(image.levels[level].read(region), stored_type(image))  # noqa: E731
        return whole(make, "application/octet-stream")

    places = {name: along(names.index(name)) for name in reversed(names)}
    pattern = "/".join(f"{{{name}}}" for name in reversed(names))
    table.add(f"{root}/s{{level}}/{pattern}", made, level=lambda: range(len(shapes)), **places)


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
