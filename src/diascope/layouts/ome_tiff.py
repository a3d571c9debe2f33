"""A virtual pyramidal OME-TIFF, uncompressed and tiled, so that any range of its bytes is made alone.

https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html; the coarser levels are SubIFDs of their
plane, as its section on sub-resolutions asks. The planes follow one another with z fastest, then c, then t
(``tiff_pyramid`` draws the bytes). Pixels are stored as they are, save that booleans are bytes 0 and 1, float16 becomes
float32, and the colours of an 8 or 16 bit picture lie side by side.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from diascope.errors import Unsupported
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.units import METRES, ratio
from diascope.layouts.layout import Layout
from diascope.layouts.ome_xml import TYPES, ome_xml
from diascope.layouts.plane_stack import PlaneStack, plane_stack
from diascope.layouts.tiff_directory import BIG, CLASSIC, Entry, Form, rational, short, text
from diascope.layouts.tiff_pyramid import TiffPyramid
from diascope.tree.file import File, Tree
from diascope.tree.table import Table, literal

SUFFIX = ".ome.tif"
MEDIA_TYPE = "image/tiff"

LARGEST_SIZE = 2**31 - 1
"""Of an axis, and of the number of planes: xsd:int in OME-XML."""

STORED_AS = {"bool": "uint8", "float16": "float32"}
"""Types that OME lacks and that others hold without loss."""

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, SOFTWARE = 282, 283, 296, 305
CENTIMETRE = 3


def ome_tiff(image: Image, forms: tuple[Form, ...] = (CLASSIC, BIG)) -> File:
    """The file of an image that ``refusal`` has nothing against, in the first form that it fits in.

    Making it touches no pixel.
    """
    stack = _stack(image)
    xml = ome_xml(image, TYPES[stack.dtype.name], samples=stack.samples, planes=stack.planes)
    tags = tuple(tuple(_tags(image, level)) for level in stack.levels)
    made = (TiffPyramid(stack=stack, form=form, description=xml, tags=tags).runs() for form in forms)
    runs = next((runs for runs, form in zip(made, forms, strict=True) if runs.length <= form.largest), None)
    if runs is None:
        raise Unsupported(_too_large(image))
    return File(media_type=MEDIA_TYPE, size=runs.length, read=runs.read)


def is_big(image: Image) -> bool:
    """Whether the file is a BigTIFF, which BIDS wants to be named ``.ome.btf``."""
    return (ome_tiff(image).size or 0) > CLASSIC.largest


def refusal(image: Image) -> str | None:
    """Why an OME-TIFF cannot hold this image."""
    if _stored_type(image).name not in TYPES:
        return f"OME-TIFF has no pixels of the type {image.dtype.name}: take the OME-Zarr or the NIfTI of this image"
    if max(*image.shape, _stack(image).planes) > LARGEST_SIZE:
        return _too_large(image)
    try:
        ome_tiff(image)
    except Unsupported as error:
        return str(error)
    return None


def _too_large(image: Image) -> str:
    return f"an image of the shape {image.shape} is too large for an OME-TIFF: take its OME-Zarr, or crop it"


def _stored_type(image: Image) -> np.dtype[Any]:
    return np.dtype(STORED_AS.get(image.dtype.name, image.dtype))


def _stack(image: Image) -> PlaneStack:
    picture = image.kind == "rgb" and image.dtype in (np.uint8, np.uint16)
    return plane_stack(image, _stored_type(image), interleaved=picture)


def _tags(image: Image, level: Level) -> list[Entry]:
    """The program, and how many pixels a centimetre has where that is known."""
    software = text(SOFTWARE, _software())
    y, x = (
        _pixels_per_centimetre(axis, scale)
        for axis, scale in zip(image.axes, level.scale, strict=True)
        if axis.name in "yx"
    )
    columns, rows = rational(X_RESOLUTION, x), rational(Y_RESOLUTION, y)
    return [software, columns, rows, short(RESOLUTION_UNIT, CENTIMETRE)] if columns and rows else [software]


@cache
def _software() -> str:
    # Installed packages are looked through for the version.
    return f"Diascope {version('diascope')}"


def _pixels_per_centimetre(axis: Axis, scale: float) -> float:
    """Zero where it is not known."""
    return 1 / (scale * ratio(axis.unit, "centimeter")) if axis.unit in METRES and scale > 0 else 0.0


def _tree(image: Image) -> Tree:
    table = Table()
    table.add(literal(image.name + SUFFIX), cache(lambda: ome_tiff(image)))
    return table


layout = Layout(
    name="ome-tiff",
    title="OME-TIFF",
    suffix=SUFFIX,
    is_folder=False,
    refuses=refusal,
    tree=_tree,
    steps={
        "Fiji": "Save {url} with a browser or `diascope get`, then Plugins > Bio-Formats > Bio-Formats Importer",
        "QuPath": "Save {url} with a browser or `diascope get`, then File > Open",
        "Python": (
            "import fsspec, tifffile\n"
            'with fsspec.open("{url}") as file, tifffile.TiffFile(file) as tiff:\n'
            "    pixels = tiff.series[0].levels[-1].asarray()"
        ),
        "GDAL": "gdalinfo /vsicurl/{url}",
    },
)
