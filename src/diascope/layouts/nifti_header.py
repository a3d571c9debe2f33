"""The header of a NIfTI file whose pixels are those of an image's finest level.

https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h. Positions are in millimetres, times in seconds. The fifth
dimension holds the channels, as components of a vector. A flat image is a volume of one plane, since many tools open
nothing flatter; the plane is one unit thick.

With a world the sform leads there, and the qform too where rotations and the distances of pixels can say the same.
Without one both give positions as the image itself has them, under the code that nibabel writes for a bare affine,
``aligned``: with no code at all each tool would flip and centre the image by a convention of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.units import METRES, SECONDS, ratio
from diascope.layouts.placement import pixel_affine, pixel_sizes

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

LARGEST_SIZE = 2**15 - 1
"""The longest axis of NIfTI-1."""
SIZES = {1: 352, 2: 544}
"""Of the headers by version, with the four zeros behind that say that there are no extensions."""

STORED_AS = {"bool": "uint8", "float16": "float32"}
COLOUR_TYPES = {3: (128, 24), 4: (2304, 32)}
"""RGB24 and RGBA32 with their bits, by how many colours there are."""

VECTOR, LABEL = 1007, 1002
"""Intent codes."""
SPACES = {"scanner": 1, "aligned": 2, "talairach": 3, "mni152": 4, "template": 5}
ALIGNED = 2
"""The code of every other space, and of the image's own."""

CLOSE = 1e-5
"""How near a qform must come to the sform, as a part of a pixel's size; NIfTI-1 has 32-bit floats."""


def version(image: Image) -> int:
    """1, or 2 where an axis is too long for that."""
    return 1 if max(image.shape) <= LARGEST_SIZE else 2


def header_size(image: Image) -> int:
    """Where the pixels begin."""
    return SIZES[version(image)]


def stored_type(image: Image) -> np.dtype[Any]:
    """The type of the samples, little endian."""
    return np.dtype(STORED_AS.get(image.dtype.name, image.dtype)).newbyteorder("<")


def is_picture(image: Image) -> bool:
    """Whether the colours of a pixel are one RGB or RGBA value."""
    return image.kind == "rgb" and image.dtype == np.uint8


def header(image: Image) -> bytes:
    """The bytes before the pixels."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    made = (Nifti1Header if version(image) == 1 else Nifti2Header)(endianness="<")
    made["vox_offset"] = header_size(image)
    _set_type(made, image)
    _set_place(made, image)
    _set_intensities(made, image)
    made["descrip"] = image.metadata.description.encode()[:79].decode(errors="ignore").encode()
    return bytes(made.binaryblock) + bytes(4)


def _set_type(made: Nifti1Header, image: Image) -> None:
    picture = is_picture(image)
    channels = 1 if picture else image.size("c")
    sizes = [image.size(name) for name in "xyz"]
    if not picture and "c" in image.axis_names:
        sizes += [image.size("t"), channels]
    elif "t" in image.axis_names:
        sizes.append(image.size("t"))
    made["dim"] = [len(sizes), *sizes, *[1] * (7 - len(sizes))]
    if picture:
        made["datatype"], made["bitpix"] = COLOUR_TYPES[image.size("c")]
    else:
        made.set_data_dtype(stored_type(image))
    if channels > 1:
        made["intent_code"] = VECTOR
    elif image.kind == "labels":
        made["intent_code"] = LABEL


def _set_place(made: Nifti1Header, image: Image) -> None:
    affine, sizes = pixel_affine(image), pixel_sizes(image)
    code = SPACES.get(image.world.space, ALIGNED) if image.world else ALIGNED
    if _is_rigid(affine[:3, :3] / sizes):
        made.set_qform(affine, code)
    made.set_sform(affine, code)
    made["pixdim"][1:4] = sizes
    units = {axis.name: axis.unit for axis in image.axes}
    seconds = units.get("t") in SECONDS
    made.set_xyzt_units("mm" if units["x"] in METRES else "unknown", "sec" if seconds else "unknown")
    if "t" in units:
        level, at = image.levels[0], image.axis_names.index("t")
        factor = ratio(units["t"] or "", "second") if seconds else 1.0
        made["pixdim"][4], made["toffset"] = level.scale[at] * factor, level.translation[at] * factor


def _is_rigid(matrix: NDArray[np.float64]) -> bool:
    """Whether a matrix turns and mirrors, and no more."""
    return bool(np.allclose(matrix.T @ matrix, np.eye(3), rtol=0, atol=CLOSE))


def _set_intensities(made: Nifti1Header, image: Image) -> None:
    slope, intercept = image.metadata.rescale or (1.0, 0.0)
    made["scl_slope"], made["scl_inter"] = slope, intercept
    windows = [channel.window for channel in image.channels if channel.window]
    if len(windows) == len(image.channels) == 1:
        # What is shown as black and as white is said of the rescaled values.
        made["cal_min"], made["cal_max"] = sorted(slope * value + intercept for value in windows[0])
