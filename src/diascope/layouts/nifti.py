"""NIfTI-1, or NIfTI-2 where an axis is longer than 32,767, made a range of bytes at a time.

https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and https://nifti.nimh.nih.gov/pub/dist/doc/nifti2.h; little
endian ::

    header       348 bytes, 540 in NIfTI-2
    extensions   4 zeros: there are none
    pixels       of level 0: x fastest, then y, z, t, c; the colours of an 8 bit picture lie side by side instead

Booleans are bytes 0 and 1, float16 becomes float32.
"""

from __future__ import annotations

from functools import cache
from math import prod

from diascope.image.image import Image
from diascope.image.order import moved
from diascope.image.region import Region
from diascope.layouts.layout import Layout
from diascope.layouts.nifti_header import header, header_size, is_picture, stored_type
from diascope.tree.file import File, Tree
from diascope.tree.runs import Run, concatenated, made
from diascope.tree.table import Table, literal

SUFFIX = ".nii"
MEDIA_TYPE = "application/x-nifti"

TYPES = frozenset({
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float32", "float64", "complex64", "complex128",
})  # fmt: skip

LONG_ROW = 1 << 20
"""Of rows with more bytes than this no more is read than is asked for."""

LARGEST_PIXELS = 2**62
"""In bytes, within what signed offsets reach."""


def nifti(image: Image) -> File:
    """The file of an image that ``refusal`` has nothing against; making it touches no pixel."""
    head = made(1, header_size(image), lambda _: header(image))
    runs = concatenated([head, _pixels(image)])
    return File(media_type=MEDIA_TYPE, size=runs.length, read=runs.read)


def refusal(image: Image) -> str | None:
    """Why a NIfTI cannot hold this image."""
    if stored_type(image).name not in TYPES:
        return f"NIfTI has no pixels of the type {image.dtype.name}: take the OME-Zarr of this image"
    if prod(image.shape) * stored_type(image).itemsize > LARGEST_PIXELS:
        return f"an image of the shape {image.shape} is too large for a NIfTI: take its OME-Zarr, or crop it"
    return None


def _pixels(image: Image) -> Run:
    """The planes, of which no more rows are read than a range touches, and no more columns where it touches one row."""
    level, dtype, picture = image.levels[0], stored_type(image), is_picture(image)
    samples = image.size("c") if picture else 1
    outer = [name for name in ("tz" if picture else "ctz") if name in image.axis_names]
    height, width = level.shape[-2:]
    pixel = samples * dtype.itemsize
    row = width * pixel

    def read(plane: int, start: int, stop: int) -> bytes:
        if row > LONG_ROW and start // row < (stop - 1) // row and (start % row or stop % row):
            cut = start - start % row + row if start % row else stop - stop % row
            return read(plane, start, cut) + read(plane, cut, stop)
        first, last = start // pixel, -(-stop // pixel)
        top, bottom = first // width, -(-last // width)
        left, right = (first - top * width, last - top * width) if bottom - top == 1 else (0, width)
        box = {"c": (0, samples), **_indices(plane, outer, image), "y": (top, bottom), "x": (left, right)}
        starts, stops = zip(*(box[name] for name in image.axis_names), strict=True)
        pixels = moved(level.read(Region(starts, stops)), image.axis_names, "yxc" if picture else "yx")
        skipped = start - (top * width + left) * pixel
        return pixels.astype(dtype, copy=False).tobytes()[skipped : skipped + stop - start]

    return Run(prod(image.size(name) for name in outer), height * row, read)


def _indices(plane: int, outer: list[str], image: Image) -> dict[str, tuple[int, int]]:
    """Start and stop of a plane along the axes that number the planes, the last of which is the fastest."""
    box = {}
    for name in reversed(outer):
        plane, index = divmod(plane, image.size(name))
        box[name] = (index, index + 1)
    return box


def _tree(image: Image) -> Tree:
    table = Table()
    table.add(literal(image.name + SUFFIX), cache(lambda: nifti(image)))
    return table


layout = Layout(
    name="nifti",
    title="NIfTI",
    suffix=SUFFIX,
    is_folder=False,
    refuses=refusal,
    tree=_tree,
    steps={
        "3D Slicer": "Save {url} with a browser or `diascope get`, then drop the file on the window",
        "Neuroglancer": "{url}|nifti:",
        "Python": (
            "import fsspec, nibabel\n"
            'with fsspec.open("{url}") as file:\n'
            "    pixels = nibabel.Nifti1Image.from_stream(file).get_fdata()"
        ),
    },
)
