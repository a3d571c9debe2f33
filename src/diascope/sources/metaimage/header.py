"""The header of a MetaImage (https://itk.org/Wiki/ITK/MetaIO/Documentation).

::

    ObjectType = Image
    NDims = 3
    DimSize = 256 256 124
    ElementType = MET_SHORT
    ElementDataFile = LOCAL | name | LIST [axes of each file] | pattern first last step

The last field is followed by the pixels, or by the names of files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.affine import Affine, affine
from diascope.image.region import Ints
from diascope.stores.store import Blob

LONGEST = 1 << 20
WINDOW = 1 << 14
LAST = re.compile(rb"(?m)^[ \t]*ElementDataFile[ \t]*[=:][^\n]*(\n|\Z)")
FIRST = re.compile(rb"\s*[A-Za-z]\w*[ \t]*[=:][^\n]*\n")
DIMENSIONS = re.compile(rb"(?m)^[ \t]*NDims[ \t]*[=:][ \t]*\d+")

TYPES = {
    "CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4", "LONG": "i4", "ULONG": "u4",
    "LONG_LONG": "i8", "ULONG_LONG": "u8", "FLOAT": "f4", "DOUBLE": "f8",
}  # fmt: skip
NAMES = "xyzt"
MOST_AXES = 10
MOST_CHANNELS = 1 << 16
LONGEST_AXIS = 1 << 40

UNITS = {"mm": "millimeter", "um": "micrometer", "cm": "centimeter"}
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""ITK's world points to the left and the back."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields by their names."""

    fields: Mapping[str, str]
    files: tuple[str, ...]
    """The lines after ``LIST``."""
    length: int
    """In bytes; the pixels of a single file begin there."""

    def text(self, *names: str) -> str:
        """The first of these fields that is told."""
        return next((self.fields[name] for name in names if name in self.fields), "")

    def flag(self, *names: str) -> bool:
        return self.text(*names).lower() in {"true", "1", "yes", "t"}

    def numbers(self, count: int, *names: str) -> tuple[float, ...] | None:
        """So many finite numbers, None where they are not told."""
        try:
            found = tuple(float(word) for word in self.text(*names).split())
        except ValueError:
            return None
        return found if len(found) == count and all(map(isfinite, found)) else None

    @property
    def sizes(self) -> Ints:
        """Fastest first, without the channels of a pixel."""
        return tuple(int(word) for word in self.text("DimSize").split())

    @property
    def channels(self) -> int:
        return int(self.text("ElementNumberOfChannels") or 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one sample, in the byte order of the file."""
        big = self.flag("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
        return np.dtype(TYPES[self.text("ElementType").removeprefix("MET_")]).newbyteorder(">" if big else "<")

    @property
    def nbytes(self) -> int:
        return prod(self.sizes) * self.channels * self.dtype.itemsize

    @property
    def is_rgb(self) -> bool:
        """Bytes of three or four channels are taken for colours: the format does not tell."""
        return self.channels in {3, 4} and self.dtype == np.uint8

    @property
    def laid_out(self) -> tuple[str, Ints]:
        """Axes and shape, slowest first; axes of length one behind the fourth are left out."""
        sizes = (*self.sizes, 1)[: max(len(self.sizes), 2)]
        names, spare = NAMES[: len(sizes)], [size for size in sizes[4:] if size > 1]
        if len(spare) > (self.channels == 1):
            raise Unreadable(f"the axes {sizes} have no place among t c z y x")
        if len(sizes) > 3 and sizes[3] == 1:
            names, sizes = names[:3], (*sizes[:3], *sizes[4:])
        kept = (*sizes[: len(names)], *spare)
        names += "c" * len(spare)
        return (names[::-1] + "c", (*kept[::-1], self.channels)) if self.channels > 1 else (names[::-1], kept[::-1])

    @property
    def unit(self) -> str:
        return UNITS.get(self.text("DistanceUnits").strip('"?'), "millimeter")

    @property
    def spacing(self) -> tuple[float, ...]:
        count = len(self.sizes)
        found = self.numbers(count, "ElementSpacing", "ElementSize") or (1.0,) * count
        return tuple(abs(size) or 1.0 for size in found)

    @property
    def world(self) -> Affine | None:
        """Where ITK has the pixels, turned to right, anterior, superior; None where the file does not tell."""
        rank = len(self.sizes)
        origin = self.numbers(rank, "Offset", "Position", "Origin")
        turned = self.numbers(rank * rank, "TransformMatrix", "Rotation", "Orientation")
        if origin is None and turned is None:
            return None
        matrix = np.eye(4)
        axes = min(rank, 3)
        if turned is not None:
            # A row for each axis of the image, which is its direction.
            matrix[:axes, :axes] = np.reshape(turned, (rank, rank))[:axes, :axes].T
        matrix[:axes, 3] = (origin or (0.0,) * rank)[:axes]
        matrix[:axes, :axes] *= [-1.0 if size < 0 else 1.0 for size in self._signs[:axes]]
        return affine(LPS @ matrix, "scanner")

    @property
    def _signs(self) -> tuple[float, ...]:
        return self.numbers(len(self.sizes), "ElementSpacing") or (1.0,) * len(self.sizes)


def is_header(first: bytes) -> bool:
    """Whether a file begins as a MetaImage does."""
    return FIRST.match(first) is not None and DIMENSIONS.search(first) is not None and b"\0" not in first[:16]


def header(blob: Blob) -> Header:
    """The header that a file begins with; raises Unreadable where it cannot be true."""
    data = blob.read(0, WINDOW)
    if not is_header(data):
        raise Unreadable("it does not begin as a MetaImage does")
    while (last := LAST.search(data)) is None and (more := blob.read(len(data), len(data) + WINDOW)):
        data += more
        if len(data) > LONGEST:
            raise Unreadable(f"its header is longer than {LONGEST} bytes")
    if last is None:
        raise Unreadable("its header lacks the field ElementDataFile")
    lines = data[: last.end()].decode("utf-8", "replace").splitlines()
    told = (re.split(r"[=:]", line, maxsplit=1) for line in lines if "=" in line or ":" in line)
    fields = {name.strip(): value.strip() for name, value in told}
    files: tuple[str, ...] = ()
    if fields["ElementDataFile"].upper().startswith("LIST"):
        rest = blob.read(last.end(), last.end() + LONGEST).decode("utf-8", "replace")
        files = tuple(line.strip() for line in rest.splitlines() if line.strip())
    found = Header(fields, files, last.end())
    _check(found)
    return found


def _check(found: Header) -> None:
    kind = found.text("ElementType")
    if kind.removeprefix("MET_") not in TYPES:
        raise Unreadable(f"pixels of the type {kind!r} are not supported")
    if found.text("ObjectType") not in {"", "Image"}:
        raise Unreadable(f"it is no image, but {found.text('ObjectType')!r}")
    sizes = found.sizes
    if not 0 < len(sizes) <= MOST_AXES or found.text("NDims") != str(len(sizes)):
        raise Unreadable(f"it declares {found.text('NDims')!r} axes and the sizes {sizes}")
    if not all(0 < size < LONGEST_AXIS for size in sizes) or not 0 < found.channels <= MOST_CHANNELS:
        raise Unreadable(f"it declares the sizes {sizes} of {found.channels} channels")
