"""NIfTI-1, or NIfTI-2 where an axis is longer than 32,767, made a range of bytes at a time.

https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and https://nifti.nimh.nih.gov/pub/dist/doc/nifti2.h; little
endian ::

    header       348 bytes, 540 in NIfTI-2
    extensions   4 zeros: there are none
    pixels       of level 0: x fastest, then y, z, t, c; the colours of an 8 bit picture lie side by side instead

Booleans are bytes 0 and 1, float16 becomes float32. ``.nii.gz`` is the same file as gzip, which is not smaller: its
size is known, and any range of it is made alone.
"""

from __future__ import annotations

from functools import cache

from diascope.image.image import Image
from diascope.layouts.layout import Layout
from diascope.layouts.nifti_header import header, header_size, is_picture, stored_type
from diascope.layouts.pixel_run import pixel_run, unfit
from diascope.tree.file import File, Tree
from diascope.tree.gzipped import gzipped
from diascope.tree.runs import concatenated, made
from diascope.tree.table import Table, literal

SUFFIX = ".nii"
SUFFIX_GZ = ".nii.gz"
MEDIA_TYPE = "application/x-nifti"

TYPES = frozenset({
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float32", "float64", "complex64", "complex128",
})  # fmt: skip


def nifti(image: Image) -> File:
    """The file of an image that ``refusal`` has nothing against; making it touches no pixel."""
    head = made(1, header_size(image), lambda _: header(image))
    picture = is_picture(image)
    pixels = pixel_run(image, stored_type(image), "tz" if picture else "ctz", interleaved=picture)
    runs = concatenated([head, pixels])
    return File(media_type=MEDIA_TYPE, size=runs.length, read=runs.read)


def refusal(image: Image) -> str | None:
    """Why a NIfTI cannot hold this image."""
    return unfit(image, stored_type(image), TYPES, "NIfTI")


def _tree(image: Image) -> Tree:
    table = Table()
    table.add(literal(image.name + SUFFIX), cache(lambda: nifti(image)))
    return table


def _tree_gz(image: Image) -> Tree:
    table = Table()
    table.add(literal(image.name + SUFFIX_GZ), cache(lambda: gzipped(nifti(image))))
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

layout_gz = Layout(
    name="nifti-gz",
    title="NIfTI, gzip",
    suffix=SUFFIX_GZ,
    is_folder=False,
    refuses=refusal,
    tree=_tree_gz,
    steps={"FSL, ANTs, FreeSurfer": "On a mounted folder, or saved with `diascope get`: {url}"},
)
