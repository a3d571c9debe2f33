"""FreeSurfer's MGH and MGZ volumes.

::

      0  version 1, width, height, depth, frames, type, degrees of freedom      all big endian
     28  whether what follows is told
     30  distance of voxels along x, y, z; directions of the three axes; the position of the centre, in millimetres
    284  pixels
         repetition time, flip angle, echo time, inversion time, where they are told

https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.affine import Affine, affine
from diascope.image.axes import axes_named
from diascope.image.image import Image, Kind
from diascope.image.metadata import Metadata
from diascope.image.region import Ints
from diascope.sources.dataset import Dataset
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.packed.unpacked import head_inside, packing, part_inside, reader_inside
from diascope.sources.reading.plain.stored_box import plain_box
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".mgz", ".mgh", ".mgh.gz")
HEADER_SIZE = 284
TOLD_SIZE = 90
"""How much of the header has a meaning."""
TYPES = {0: "u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
LONGEST_AXIS = 1 << 31

CORONAL = (-1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0)
"""The directions where none are told."""

SEGMENTATION = re.compile(r"(aseg|aparc|wmparc|ribbon|hypointensities|segmentation|brainstemssl)", re.IGNORECASE)
"""FreeSurfer names segmentations so; the format does not tell them from intensities."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes say."""

    sizes: Ints
    """Along x, y, z and of frames."""
    dtype: np.dtype[Any]
    delta: tuple[float, ...]
    directions: tuple[float, ...]
    centre: tuple[float, ...]

    @property
    def nbytes(self) -> int:
        return prod(self.sizes) * self.dtype.itemsize

    @property
    def world(self) -> Affine:
        """From positions in the image, which begin at its first voxel, to the scanner's."""
        columns = np.reshape(self.directions, (3, 3)).T
        matrix = np.eye(4)
        matrix[:3, :3] = columns
        matrix[:3, 3] = np.array(self.centre) - columns @ (np.array(self.delta) * np.array(self.sizes[:3]) / 2)
        return affine(matrix, "scanner")


def header(first: bytes) -> Header:
    """Raises Unreadable where bytes cannot be the beginning of such a file."""
    if not _is_header(first):
        raise Unreadable("it does not begin with a whole MGH header")
    *sizes, kind = struct.unpack_from(">5i", first, 4)
    numbers = struct.unpack_from(">15f", first, 30)
    if not struct.unpack_from(">h", first, 28)[0] > 0:
        numbers = (1.0, 1.0, 1.0, *CORONAL, 0.0, 0.0, 0.0)
    if not all(map(isfinite, numbers)) or min(numbers[:3]) <= 0:
        raise Unreadable(f"voxels {numbers[:3]} apart along {numbers[3:12]} cannot be")
    return Header(tuple(sizes), np.dtype(TYPES[kind]), numbers[:3], numbers[3:12], numbers[12:])


def _is_header(first: bytes) -> bool:
    if len(first) < TOLD_SIZE or struct.unpack_from(">i", first)[0] != 1:
        return False
    *sizes, kind = struct.unpack_from(">5i", first, 4)
    return kind in TYPES and all(0 < size < LONGEST_AXIS for size in sizes)


def _matches(head: Head) -> bool:
    return _is_header(head_inside(head.first, TOLD_SIZE))


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    name = stem(path, SUFFIXES)
    return Dataset(version=blob.stat.version, images={name: _image(blob, name)}, files=(path,))


def _image(blob: Blob, name: str) -> Image:
    found = header(part_inside(blob, HEADER_SIZE))
    read = reader_inside(blob, HEADER_SIZE + found.nbytes)
    axes = "tzyx" if found.sizes[3] > 1 else "zyx"
    shape = found.sizes[::-1][-len(axes) :]
    box = plain_box(read, HEADER_SIZE, axes, shape, found.dtype)
    between = _repetition(blob, HEADER_SIZE + found.nbytes)
    units = {**dict.fromkeys("xyz", "millimeter"), **({"t": "millisecond"} if between else {})}
    return Image(
        name=name,
        kind=_kind(name, found),
        axes=axes_named(axes, units),
        levels=(box.level({**dict(zip("xyz", found.delta, strict=True)), "t": between or 1.0}, {}),),
        world=found.world,
        metadata=Metadata(format="MGH"),
    )


def _repetition(blob: Blob, stop: int) -> float | None:
    """Milliseconds between frames; None where it is packed, since it stands behind all pixels."""
    told = b"" if packing(blob.read(0, 3)) else blob.read(stop, stop + 4)
    found: float = struct.unpack(">f", told)[0] if len(told) == 4 else 0.0
    return found if isfinite(found) and found > 0 else None


def _kind(name: str, found: Header) -> Kind:
    return "labels" if found.dtype.kind in "iu" and SEGMENTATION.search(name) else "intensity"


source = Source(
    name="mgh",
    title="FreeSurfer MGH",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    supports="volumes and series of them, with their place in the scanner; gzip is read in parts",
)
