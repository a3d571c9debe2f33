"""Analyze 7.5 of the Mayo Clinic and SPM, a header of 348 bytes and the pixels beside it.

::

      0  348                in the byte order of both files
     40  dim, 70 datatype, 76 pixdim, 108 where the pixels begin
    112  SPM: the factor from pixels to what was measured
    148  description, 252 orient
    253  SPM: the voxel in the origin, counted from 1

The format does not tell left from right: SPM has had it either way. No world is told therefore; ``orient`` and SPM's
``origin`` stand under ``extra``, and a .mat file beside it is not looked at.

https://eeg.sourceforge.net/ANALYZE75.pdf
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any, Literal

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.metadata import Metadata
from diascope.image.region import Ints
from diascope.image.units import METRES, named
from diascope.sources.dataset import Dataset
from diascope.sources.reading.beside import fingerprint
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.packed.unpacked import head_inside, packing, part_inside, reader_inside
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.sources.reading.plain.stored_box import plain_box
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

SUFFIXES = (".hdr", ".hdr.gz")
SIZE = 348
NIFTI = {b"ni1\0", b"n+1\0"}
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 128: "u1", 130: "i1", 132: "u2", 136: "u4"}
RGB = 128


@dataclass(frozen=True, slots=True)
class Header:
    """The header in the byte order that its first field tells."""

    first: bytes
    order: Literal["<", ">"]

    def numbers(self, kind: str, at: int, count: int) -> tuple[Any, ...]:
        return struct.unpack_from(f"{self.order}{count}{kind}", self.first, at)

    def text(self, at: int, length: int) -> str:
        return self.first[at : at + length].split(b"\0")[0].decode("latin-1").strip()

    @property
    def datatype(self) -> int:
        return int(self.numbers("h", 70, 1)[0])

    @property
    def dims(self) -> Ints:
        rank, *dims = self.numbers("h", 40, 8)
        return tuple(dims[:rank]) if 0 < rank < 8 else ()

    @property
    def offset(self) -> int:
        found = self.numbers("f", 108, 1)[0]
        return int(abs(found)) if isfinite(found) else 0

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(TYPES[self.datatype]).newbyteorder(self.order)

    @property
    def laid_out(self) -> tuple[str, Ints]:
        """Axes and shape, slowest first; dimensions beyond the fourth must be 1."""
        dims = (*self.dims, 1)[: max(len(self.dims), 2)]
        if prod(dims[4:]) > 1:
            raise Unreadable(f"the dimensions {dims} have no place among the axes t z y x")
        rank = 3 if len(dims) > 3 and dims[3] == 1 else min(len(dims), 4)
        axes, shape = "xyzt"[:rank][::-1], dims[:rank][::-1]
        return (axes + "c", (*shape, 3)) if self.datatype == RGB else (axes, shape)

    @property
    def spacing(self) -> dict[str, float]:
        found = zip("xyzt", self.numbers("f", 80, 4), strict=True)
        return {name: abs(size) for name, size in found if isfinite(size) and size != 0}

    @property
    def rescale(self) -> tuple[float, float] | None:
        slope = self.numbers("f", 112, 1)[0]
        return (slope, 0.0) if isfinite(slope) and slope not in {0.0, 1.0} and self.datatype != RGB else None

    @property
    def unit(self) -> str:
        """Of space; millimetres where none is told."""
        found = named(self.text(56, 4))
        return found if found in METRES else "millimeter"


def _header(first: bytes) -> Header | None:
    """None where bytes do not begin as such a file."""
    if len(first) < SIZE or first[344:348] in NIFTI:
        return None
    orders: dict[bytes, Literal["<", ">"]] = {SIZE.to_bytes(4, "little"): "<", SIZE.to_bytes(4, "big"): ">"}
    order = orders.get(first[:4])
    found = Header(first[:SIZE], order) if order else None
    return found if found and found.dims and min(found.dims) > 0 and found.datatype in TYPES else None


def _matches(head: Head) -> bool:
    return head.name.endswith(SUFFIXES) and _header(head_inside(head.first, SIZE)) is not None


def _open(store: Store, path: str) -> Dataset:
    found = _header(part_inside(store.open(path), SIZE))
    if found is None:
        raise Unreadable("it does not begin with a whole header of Analyze 7.5")
    pixels = _pixels(store, path)
    blob = store.open(pixels)
    name = stem(path, SUFFIXES)
    read = reader_inside(blob, found.offset + prod(found.laid_out[1]) * found.dtype.itemsize)
    image = _image(found, read, name, packing(blob.read(0, 3)))
    files = (path, pixels)
    return Dataset(version=fingerprint(store, files), images={name: image}, files=files)


def _pixels(store: Store, path: str) -> str:
    """The path of the other file."""
    end = next(end for end in sorted(SUFFIXES, key=len, reverse=True) if path.lower().endswith(end))
    base = path[: -len(end)]
    for suffix in (".img", ".img.gz", ".IMG"):
        if store.stat(base + suffix):
            return base + suffix
    raise Unreadable(f"the file {base}.img, which has the pixels, is missing")


def _version(store: Store, path: str) -> str:
    """Of both files; the one that is missing adds nothing."""
    try:
        return fingerprint(store, (path, _pixels(store, path)))
    except Unreadable:
        return fingerprint(store, (path,))


def _image(found: Header, read: ReadBytes, name: str, packed: str) -> Image:
    axes, shape = found.laid_out
    box = plain_box(read, found.offset, axes, shape, found.dtype)
    return Image(
        name=name,
        kind="rgb" if found.datatype == RGB else "intensity",
        axes=axes_named(box.house_axes, dict.fromkeys("xyz", found.unit)),
        levels=(box.level(found.spacing, {}),),
        metadata=Metadata(
            format=f"Analyze 7.5 ({packed})" if packed else "Analyze 7.5",
            description=found.text(148, 80),
            rescale=found.rescale,
            extra={"orient": found.first[252], "origin": list(found.numbers("h", 253, 5)), "datatype": found.datatype},
        ),
    )


source = Source(
    name="analyze",
    title="Analyze 7.5",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    version=_version,
    supports="volumes and time series, RGB, both byte orders, SPM's scale; orientation is told and not applied; gzip "
    "is read in parts",
)
