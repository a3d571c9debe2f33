"""NRRD with an attached header and raw encoding, made a range of bytes at a time.

https://teem.sourceforge.net/nrrd/format.html; little endian ::

    header       lines of text, the last one empty
    pixels       of level 0: x fastest, then y, z, c, t; the colours of a picture lie side by side instead

Booleans are bytes 0 and 1, float16 becomes float32.
"""

from __future__ import annotations

from functools import cache

from diascope.image.image import Image
from diascope.layouts.layout import Layout
from diascope.layouts.nrrd_header import TYPES, header, stored_type
from diascope.layouts.pixel_run import pixel_run, unfit
from diascope.tree.file import File, Tree
from diascope.tree.runs import concatenated, constant
from diascope.tree.table import Table, literal

SUFFIX = ".nrrd"


def nrrd(image: Image) -> File:
    """The file of an image that ``refusal`` has nothing against; making it touches no pixel."""
    picture = image.kind == "rgb"
    pixels = pixel_run(image, stored_type(image), "tz" if picture else "tcz", interleaved=picture)
    runs = concatenated([constant(header(image)), pixels])
    return File(media_type="application/x-nrrd", size=runs.length, read=runs.read)


def refusal(image: Image) -> str | None:
    """Why an NRRD cannot hold this image."""
    return unfit(image, stored_type(image), TYPES, "NRRD")


def _tree(image: Image) -> Tree:
    table = Table()
    table.add(literal(image.name + SUFFIX), cache(lambda: nrrd(image)))
    return table


layout = Layout(
    name="nrrd",
    title="NRRD",
    suffix=SUFFIX,
    is_folder=False,
    refuses=refusal,
    tree=_tree,
    steps={
        "3D Slicer": "Save {url} with a browser or `diascope get`, then drop the file on the window",
        "Python": (
            "import io, nrrd, urllib.request\n"
            'file = io.BytesIO(urllib.request.urlopen("{url}").read())\n'
            "pixels = nrrd.read_data(nrrd.read_header(file), file)"
        ),
    },
)
