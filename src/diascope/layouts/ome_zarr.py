"""OME-Zarr 0.5 (https://ngff.openmicroscopy.org/0.5/) and 0.6 (…/0.6/) on Zarr 3, and 0.4 (…/0.4/) on Zarr 2.

::

    name.ome.zarr/                name.zarr2.ome.zarr/
      zarr.json                     .zgroup  .zattrs
      0/zarr.json                   0/.zarray
      0/c/{t}/{c}/{z}/{y}/{x}       0/{t}/{c}/{z}/{y}/{x}

Version 0.6, in ``name.zarr06.ome.zarr/``, has the files of 0.5, and says where the pixels lie in the world. Of an image
that an affine view moves it has the pixels of the image before, and the transformation: nothing is interpolated.

Chunks are one pixel long along t and c, also those of colours: Viv and Neuroglancer take one channel at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from diascope.image.grid import served_chunk_shape
from diascope.image.image import Image
from diascope.image.region import grid_shape
from diascope.layouts.layout import Layout
from diascope.layouts.ome_coordinates import Carried, carried, multiscale_0_6
from diascope.layouts.ome_metadata import multiscale, omero, world
from diascope.layouts.ome_windows import known
from diascope.layouts.zarr_array import DATA_TYPES, Array
from diascope.tree.file import File, Tree, json_file, whole
from diascope.tree.table import Choices, Table, literal

SUFFIX = ".ome.zarr"
SUFFIX_0_4 = ".zarr2.ome.zarr"
SUFFIX_0_6 = ".zarr06.ome.zarr"


def tree(image: Image) -> Tree:
    """The files of version 0.5."""
    return _on_zarr_3(image, SUFFIX, group_0_5)


def tree_0_6(image: Image) -> Tree:
    """The files of version 0.6."""
    found = carried(image)
    return _on_zarr_3(found.image, SUFFIX_0_6, lambda _: group_0_6(found))


def _on_zarr_3(image: Image, suffix: str, group: Callable[[Image], dict[str, Any]]) -> Tree:
    arrays = _arrays(image, 3)
    root = literal(image.name + suffix)
    table = Table()
    table.add(f"{root}/zarr.json", lambda: _described(image, group))
    table.add(f"{root}/{{level}}/zarr.json", lambda level: json_file(arrays[level].document), level=_levels(image))
    _add_chunks(table, f"{root}/{{level}}/c", image, arrays)
    return table


def tree_0_4(image: Image) -> Tree:
    """The files of version 0.4."""
    arrays = _arrays(image, 2)
    root = literal(image.name + SUFFIX_0_4)
    table = Table()
    table.add(f"{root}/.zgroup", lambda: json_file({"zarr_format": 2}))
    table.add(f"{root}/.zattrs", lambda: _described(image, attributes_0_4))
    table.add(f"{root}/{{level}}/.zarray", lambda level: json_file(arrays[level].document), level=_levels(image))
    _add_chunks(table, f"{root}/{{level}}", image, arrays)
    return table


def _arrays(image: Image, version: Literal[2, 3]) -> list[Array]:
    return [
        Array(
            level=level,
            chunk_shape=served_chunk_shape(image.axes, level),
            axes=image.axis_names,
            version=version,
        )
        for level in image.levels
    ]


def group_0_5(image: Image) -> dict[str, Any]:
    """The document of the root ``zarr.json``."""
    return _group({"version": "0.5", "multiscales": [multiscale(image)]}, image)


def group_0_6(found: Carried) -> dict[str, Any]:
    """The document of the root ``zarr.json``."""
    return _group({"version": "0.6", "multiscales": [multiscale_0_6(found)]}, found.image)


def _group(ome: dict[str, Any], image: Image) -> dict[str, Any]:
    if shown := omero(image):
        ome["omero"] = shown
    if image.kind == "labels":
        ome["image-label"] = {}
    return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome} | _extra(image)}


def attributes_0_4(image: Image) -> dict[str, Any]:
    """The document of ``.zattrs``."""
    attributes: dict[str, Any] = {"multiscales": [{"version": "0.4"} | multiscale(image)]}
    if shown := omero(image):
        attributes["omero"] = {"version": "0.4"} | shown
    if image.kind == "labels":
        attributes["image-label"] = {"version": "0.4"}
    return attributes | _extra(image)


def _described(image: Image, document: Callable[[Image], dict[str, Any]]) -> File:
    """A document whose channels need windows, which are looked for when it is read, not when it is found."""
    if known(image):
        return json_file(document(image))
    return whole(lambda: json_file(document(image)).read(0, None), "application/json")


def _extra(image: Image) -> dict[str, Any]:
    placed = world(image)
    return {"diascope": placed} if placed else {}


def _levels(image: Image) -> Choices:
    return lambda **_: range(len(image.levels))


def _add_chunks(table: Table, folder: str, image: Image, arrays: Sequence[Array]) -> None:
    """One file a chunk, in a folder for each axis but the last."""
    grids = [grid_shape(array.level.shape, array.chunk_shape) for array in arrays]

    def along(axis: int) -> Choices:
        return lambda level, **_: range(grids[level][axis])

    def made(level: int, **index: int) -> File:
        return arrays[level].file(tuple(index[axis.name] for axis in image.axes))

    names = "/".join(f"{{{axis.name}}}" for axis in image.axes)
    places = {axis.name: along(k) for k, axis in enumerate(image.axes)}
    table.add(f"{folder}/{names}", made, level=_levels(image), **places)


def refusal(image: Image) -> str | None:
    """None but for pixels of a type that Zarr has no name for: two to five axes and any size are welcome."""
    if image.dtype.name in DATA_TYPES:
        return None
    return f"Zarr has no pixels of the type {image.dtype.name}: open it through the view window, which gives uint8"


layout = Layout(
    name="ome-zarr",
    title="OME-Zarr 0.5",
    suffix=SUFFIX,
    is_folder=True,
    refuses=refusal,
    tree=tree,
    steps={
        "Neuroglancer": "Add a layer with the source {url}|zarr3:",
        "napari": "napari --plugin napari-ome-zarr {url}",
        "Fiji": "Plugins > BigDataViewer > HDF5/N5/Zarr/OME-NGFF Viewer, and paste {url}",
        "Python": 'import zarr; pixels = zarr.open_array("{url}0", mode="r")',
    },
)

layout_0_4 = Layout(
    name="ome-zarr-0_4",
    title="OME-Zarr 0.4",
    suffix=SUFFIX_0_4,
    is_folder=True,
    refuses=refusal,
    tree=tree_0_4,
    steps={
        "Neuroglancer": "Add a layer with the source {url}|zarr2:",
        "napari": "napari --plugin napari-ome-zarr {url}",
        "Fiji": "Plugins > BigDataViewer > HDF5/N5/Zarr/OME-NGFF Viewer, and paste {url}",
        "Python": 'import zarr; pixels = zarr.open_array("{url}0", mode="r")',
    },
)

layout_0_6 = Layout(
    name="ome-zarr-0_6",
    title="OME-Zarr 0.6",
    suffix=SUFFIX_0_6,
    is_folder=True,
    refuses=refusal,
    tree=tree_0_6,
    steps={
        "Python": 'import zarr; pixels = zarr.open_array("{url}0", mode="r")',
    },
)
