"""Judges of NIfTI."""

from __future__ import annotations

import subprocess
from typing import Any

import nibabel
import numpy as np
from nibabel.fileholders import FileHolder
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.order import moved
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import packed, truncated
from tests.conformance.web_file import is_remote, web_file
from tests.judges import nifti_tool, node
from tests.judges.pixels import Rejected, Seen, same, told

PLAIN = Representation(name="NIfTI", layout="nifti", paths=("{file}/{view}/{stem}.nii",))
GZIP = Representation(name="NIfTI gzip", layout="nifti-gz", paths=("{file}/{view}/{stem}.nii.gz",))
REPRESENTATIONS = (PLAIN, GZIP)
NAMES = (PLAIN.name,)

FILE = r"\.nii$"
TWINS = (
    truncated("truncated", FILE),
    packed("wrong width", FILE, 42, "<h", 3),
    packed("other pixels", FILE, 500, "<Q", 0x7766554433221100),
)

GZIP_FILE = r"\.nii\.gz$"
GZIP_TWINS = (
    truncated("truncated", GZIP_FILE),
    packed("wrong width", GZIP_FILE, 15 + 42, "<h", 3),
    packed("other pixels", GZIP_FILE, 15 + 500, "<Q", 0x7766554433221100),
    packed("wrong block", GZIP_FILE, 11, "<H", 1000),
)


def _voxels(image: Image) -> NDArray[Any]:
    """The pixels in NIfTI's order: x, y, z, time and channel, as many as the file has."""
    names = image.axis_names
    return moved(image[...], names, "xyztc" if "c" in names else "xyzt" if "t" in names else "xyz")


def _is_coloured(image: Image) -> bool:
    return image.kind == "rgb" and image.dtype == np.uint8


def by_nibabel(served: Served) -> Seen:
    if is_remote(served.where):
        with web_file(served.where) as file:
            holder = {"image": FileHolder(fileobj=file)}
            header = file.read(4)
            file.seek(0)
            kind: Any = nibabel.Nifti2Image if header == b"\x1c\x02\0\0" else nibabel.Nifti1Image
            return _seen(kind.from_file_map(holder), served.image)
    return _seen(nibabel.load(served.where), served.image)


def _seen(read: Any, image: Image) -> Seen:
    pixels = read.dataobj.get_unscaled()
    if _is_coloured(image):
        pixels = np.stack([pixels[colour] for colour in "RGBA"[: image.size("c")]], axis=-1)
        size = same(pixels, moved(image[...], image.axis_names, "xyzc"), "the file")
    else:
        size = same(pixels, _voxels(image), "the file")
    if image.world is None:
        return told([size])
    level = image.levels[0]
    places = dict(zip(image.axis_names, zip(level.scale, level.translation, strict=True), strict=True))
    steps = np.diag([places.get(axis, (1.0, 0.0))[0] for axis in "xyz"] + [1.0])
    steps[:3, 3] = [places.get(axis, (1.0, 0.0))[1] for axis in "xyz"]
    if not np.allclose(read.affine, np.asarray(image.world.matrix) @ steps, atol=1e-4):
        raise Rejected(f"the affine is {read.affine.tolist()}")
    return told([size], affines=1)


def by_simpleitk(served: Served) -> Seen:
    import SimpleITK

    seen = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(served.where))
    names = "".join(name for name in "tzyx" if name in served.image.axis_names or name == "z")
    return told([same(seen, moved(served.image[...], served.image.axis_names, names), "the file")])


def by_nifti_tool(served: Served) -> Seen:
    expected = _voxels(served.image)
    header = nifti_tool.header(served.where)
    told_sizes = [int(size) for size in header.get("dim", ["0"])[1:]]
    if told_sizes != [*expected.shape, *[1] * (7 - expected.ndim)]:
        raise Rejected(f"the sizes are {told_sizes}")
    if header["bitpix"] != [str(8 * expected.itemsize)]:
        raise Rejected(f"{header['bitpix']} bits a voxel")
    seen = nifti_tool.voxels(served.where)
    return told([same(seen, expected.ravel(order="F").astype(float), "the file")])


def by_gzip(served: Served) -> Seen:
    """The check of the whole, which nibabel does not look at."""
    done = subprocess.run(["gzip", "-t", served.where], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise Rejected(done.stderr.strip())
    return told([served.image[...].size])


def by_nifti_reader(served: Served) -> Seen:
    answer = node.program("nifti_reader.mjs").asked(served.where)
    image = served.image
    wanted = moved(image[...], image.axis_names, "xyzc") if _is_coloured(image) else _voxels(image)
    bits = wanted.dtype.itemsize * 8 * (image.size("c") if _is_coloured(image) else 1)
    if answer.facts["numBitsPerVoxel"] != bits:
        raise Rejected(f"{answer.facts['numBitsPerVoxel']} bits a voxel, not {bits}")
    order = "zyxc" if _is_coloured(image) else "ctzyx" if "c" in image.axis_names else "tzyx"
    expected = moved(image[...], image.axis_names, order).astype(wanted.dtype.newbyteorder("<"))
    seen = answer.arrays[0].view(expected.dtype)
    return told([same(seen, expected.ravel(), "the file")])


def _is_printed(image: Image) -> bool:
    """What nifti_tool prints exactly, and NIfTI-1 holds."""
    return not _is_coloured(image) and image.dtype.kind in "iu" and max(image.shape) < 2**15


def _is_volume(image: Image) -> bool:
    """What ITK reads as an array of numbers: it cannot read NIfTI-2, and takes channels for vectors."""
    return not _is_coloured(image) and image.size("c") == 1 and max(image.shape) < 2**15


JUDGES = (
    Judge(
        name="nibabel",
        representations=NAMES,
        doors=("HTTP", "S3", "WebDAV", "mount", "files"),
        look=by_nibabel,
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
    Judge(
        name="nifti_tool",
        representations=NAMES,
        doors=("mount", "files"),
        look=by_nifti_tool,
        twins=TWINS,
        takes=_is_printed,
        missing=nifti_tool.missing,
    ),
    Judge(
        name="nifti-reader-js",
        representations=NAMES,
        doors=("HTTP", "files"),
        look=by_nifti_reader,
        twins=TWINS,
        missing=lambda: node.missing("nifti-reader-js"),
    ),
    Judge(
        name="nibabel",
        representations=(GZIP.name,),
        doors=("mount", "files"),
        look=by_nibabel,
        twins=GZIP_TWINS,
    ),
    Judge(
        name="SimpleITK",
        representations=(GZIP.name,),
        doors=("files",),
        look=by_simpleitk,
        twins=GZIP_TWINS,
        takes=_is_volume,
    ),
    Judge(
        name="nifti_tool",
        representations=(GZIP.name,),
        doors=("files",),
        look=by_nifti_tool,
        twins=GZIP_TWINS,
        takes=_is_printed,
        missing=nifti_tool.missing,
    ),
    Judge(
        name="gzip",
        representations=(GZIP.name,),
        doors=("mount",),
        look=by_gzip,
        twins=(truncated("truncated", GZIP_FILE), packed("other pixels", GZIP_FILE, 15 + 500, "<Q", 1)),
    ),
    Judge(
        name="nifti-reader-js",
        representations=(GZIP.name,),
        doors=("HTTP",),
        look=by_nifti_reader,
        twins=GZIP_TWINS,
        missing=lambda: node.missing("nifti-reader-js"),
    ),
)
