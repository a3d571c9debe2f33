"""Judges of OME-TIFF."""

from __future__ import annotations

import io
import re
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tifffile

from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.order import moved
from diascope.layouts.plane_stack import flat_levels
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import changed, truncated
from tests.conformance.web_file import is_remote, web_file
from tests.judges import bioformats, imagej, libtiff, node, tiff_file
from tests.judges.pixels import Rejected, Seen, counted, same, told

REPRESENTATIONS = (Representation(name="OME-TIFF", layout="ome-tiff", paths=("{file}/{view}/{stem}.ome.tif",)),)
NAMES = ("OME-TIFF",)
FILE = r"\.ome\.tif$"


def _places(data: bytes) -> tuple[int, int]:
    """Where the first tile lies, and where the file says so."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        return tiff.pages[0].dataoffsets[0], tiff.pages[0].tags["TileOffsets"].valueoffset


def _flipped_tile_byte(data: bytes) -> bytes:
    other = bytearray(data)
    other[_places(data)[0] + 100] ^= 0xFF
    return bytes(other)


def _lost_tile(data: bytes) -> bytes:
    other = bytearray(data)
    struct.pack_into("<I", other, _places(data)[1], len(data) + 4096)
    return bytes(other)


def _other_text(pattern: bytes, text: bytes) -> Callable[[bytes], bytes]:
    return lambda data: re.sub(pattern, text, data, count=1)


BAD_PIXELS = changed("flipped tile byte", FILE, _flipped_tile_byte)
LOST_TILE = changed("tile beyond the end", FILE, _lost_tile)
BAD_PLANES = replace(
    changed("wrong SizeZ", FILE, _other_text(rb'SizeZ="\d', b'SizeZ="7')), applies=lambda image: image.size("z") > 1
)
BAD_ORDER = changed("wrong DimensionOrder", FILE, _other_text(rb'DimensionOrder="XY', b'DimensionOrder="YX'))
CUT = truncated("truncated", FILE)


def by_tifffile(served: Served) -> Seen:
    levels = flat_levels(served.image)
    if not is_remote(served.where):
        with tifffile.TiffFile(served.where) as tiff:
            return told(tiff_file.compared(tiff, served.image, levels))
    with web_file(served.where) as file, tifffile.TiffFile(file) as tiff:
        return told(tiff_file.compared(tiff, served.image, levels))


def by_bioformats(served: Served) -> Seen:
    with TemporaryDirectory() as folder:
        read = bioformats.converted(Path(served.where), Path(folder, "copy.ome.tif"))
        return _copy(read, served.image, flat_levels(served.image))


def by_imagej(served: Served) -> Seen:
    image = served.image
    opened = imagej.opened(Path(served.where))
    size = same(opened.pixels, moved(image[...], image.axis_names, "tzcyx"), "the hyperstack")
    scales = zip(image.axes, image.levels[0].scale, strict=True)
    known = {axis.name: scale for axis, scale in scales if axis.unit == "micrometer"}
    for name, spacing in zip("xyz", opened.spacing, strict=True):
        if name in known and not (opened.unit == "microns" and np.isclose(spacing, known[name])):
            raise Rejected(f"pixels {opened.spacing} {opened.unit} apart, not {known[name]} micrometers along {name}")
    return told([size], spacings=len(known))


def by_libtiff(served: Served) -> Seen:
    with TemporaryDirectory() as folder:
        read = libtiff.copied(Path(served.where), Path(folder, "copy.ome.tif"))
        return _copy(read, served.image, flat_levels(served.image)[:1])


def _copy(path: Path | str, image: Image, levels: tuple[Level, ...]) -> Seen:
    """What tifffile sees in a judge's copy."""
    if isinstance(path, str):
        raise Rejected(path.strip().splitlines()[0] if path.strip() else "it refused without a word")
    with tifffile.TiffFile(path) as tiff:
        return told(tiff_file.compared(tiff, image, levels))


def by_openslide(served: Served) -> Seen:
    import openslide

    with openslide.OpenSlide(served.where) as slide:
        pixels = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[..., :3]
    image = served.image
    return told([same(pixels, moved(image[...], image.axis_names, "yxc")[..., :3], "level 0")])


def by_ome_schema(served: Served) -> Seen:
    import ome_types

    with tifffile.TiffFile(served.where) as tiff:
        xml = tiff.ome_metadata or ""
    ome_types.validate_xml(xml)
    pixels: Any = ome_types.from_xml(xml).images[0].pixels
    for axis in "tczyx":
        counted(getattr(pixels, f"size_{axis}"), served.image.size(axis), f"planes or pixels along {axis}")
    return Counter(documents=1)


def by_geotiff(served: Served) -> Seen:
    """Every plane of the full resolution: the others lie in SubIFDs, which it does not look into."""
    image = served.image
    planes = node.program("geotiff.mjs").asked(served.where).arrays
    interleaved = planes[0].shape[-1] > 1
    outer = "".join(name for name in image.axis_names if name not in ("cyx" if interleaved else "yx"))
    pixels = moved(image[...], image.axis_names, outer + ("yxc" if interleaved else "yx"))
    expected = pixels.reshape(prod(pixels.shape[: len(outer)]), *planes[0].shape)
    counted(len(planes), len(expected), "planes")
    return told([sum(same(a, b, f"plane {k}") for k, (a, b) in enumerate(zip(planes, expected, strict=True)))])


def _is_hyperstack(image: Image) -> bool:
    """What ImageJ keeps as it is: signed and wide integers become others, colours a picture of its own."""
    return image.kind != "rgb" and image.dtype in (np.uint8, np.uint16)


def _is_opaque_picture(image: Image) -> bool:
    """What OpenSlide calls a generic tiled TIFF."""
    return image.kind == "rgb" and image.dtype == np.uint8 and image.size("c") == 3 and len(image.shape) == 3


JUDGES = (
    Judge(
        name="tifffile",
        representations=NAMES,
        doors=("HTTP", "S3", "WebDAV", "mount", "files"),
        look=by_tifffile,
        twins=(BAD_PIXELS, LOST_TILE, BAD_PLANES, CUT),
    ),
    Judge(
        name="Bio-Formats",
        representations=NAMES,
        doors=("mount", "files"),
        look=by_bioformats,
        twins=(BAD_PIXELS, LOST_TILE, BAD_PLANES),
        missing=bioformats.missing,
        slow=True,
    ),
    Judge(
        name="ImageJ",
        representations=NAMES,
        doors=("mount",),
        look=by_imagej,
        twins=(BAD_PIXELS, LOST_TILE),
        takes=_is_hyperstack,
        missing=imagej.missing,
        slow=True,
    ),
    Judge(
        name="libtiff tiffcp",
        representations=NAMES,
        doors=("mount", "files"),
        look=by_libtiff,
        twins=(BAD_PIXELS, LOST_TILE, CUT),
        missing=libtiff.missing,
    ),
    Judge(
        name="OpenSlide",
        representations=NAMES,
        doors=("mount", "files"),
        look=by_openslide,
        twins=(BAD_PIXELS, LOST_TILE),
        takes=_is_opaque_picture,
    ),
    Judge(
        name="OME schema", representations=NAMES, doors=("files",), look=by_ome_schema, twins=(BAD_ORDER, BAD_PLANES)
    ),
    Judge(
        name="geotiff.js",
        representations=NAMES,
        doors=("HTTP",),
        look=by_geotiff,
        twins=(BAD_PIXELS, LOST_TILE),
        missing=lambda: node.missing("geotiff"),
    ),
)
