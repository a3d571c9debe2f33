"""Judges of NRRD."""

from __future__ import annotations

from io import BytesIO

import nrrd

from diascope.image.image import Image
from diascope.image.order import moved
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import changed, truncated
from tests.conformance.web_file import is_remote, web_file
from tests.judges.pixels import Seen, same, told

REPRESENTATIONS = (Representation(name="NRRD", layout="nrrd", paths=("{file}/{view}/{stem}.nrrd",)),)
NAMES = ("NRRD",)

FILE = r"\.nrrd$"
TWINS = (
    truncated("truncated", FILE),
    changed("wrong sizes", FILE, lambda data: data.replace(b"\nsizes: ", b"\nsizes: 1", 1)),
    changed("other pixels", FILE, lambda data: data[:-8] + bytes(255 - byte for byte in data[-8:])),
)


def _order(image: Image) -> str:
    """The axes of the file, fastest first; colours lie side by side."""
    names = image.axis_names
    if image.kind == "rgb":
        return "cxyz" + "t" * ("t" in names)
    return "xyz" + "".join(name for name in "ct" if name in names)


def by_pynrrd(served: Served) -> Seen:
    if is_remote(served.where):
        with web_file(served.where) as remote:
            file = BytesIO(remote.read())
        pixels = nrrd.read_data(nrrd.read_header(file), file)
    else:
        pixels, _ = nrrd.read(served.where)
    image = served.image
    return told([same(pixels, moved(image[...], image.axis_names, _order(image)), "the file")])


def by_simpleitk(served: Served) -> Seen:
    import SimpleITK

    seen = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(served.where))
    return told([same(seen, moved(served.image[...], served.image.axis_names, "zyx"), "the file")])


def _is_volume(image: Image) -> bool:
    """What ITK reads as an array of numbers: channels are vectors to it, and times a fourth dimension."""
    return image.size("c") == 1 and "t" not in image.axis_names


JUDGES = (
    Judge(
        name="pynrrd",
        representations=NAMES,
        doors=("HTTP", "S3", "WebDAV", "mount", "files"),
        look=by_pynrrd,
        twins=TWINS,
    ),
    Judge(
        name="SimpleITK",
        representations=NAMES,
        doors=("mount", "files"),
        look=by_simpleitk,
        twins=TWINS,
        takes=_is_volume,
    ),
)
