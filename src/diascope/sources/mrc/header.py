"""The 1024 bytes that an MRC file begins with.

::

       0  nx ny nz         columns, rows, sections
      12  mode
      16  first column, row and section in the unit cell
      28  mx my mz         sampling of the unit cell
      40  cell x y z       in ångström
      64  mapc mapr maps   which axis of space columns, rows and sections lie along, 1 to 3
      88  ispg             0 images, 1 a volume, 401 volumes
      92  nsymbt           bytes of the extended header
     104  exttyp           what is in it
     152  IMOD, 156 flags  1: bytes are signed
     196  origin x y z     in ångström
     208  "MAP ", 212 machine stamp
     220  labels, 224 ten of them of 80 characters

https://www.ccpem.ac.uk/mrc_format/mrc2014.php
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any, Literal, TypeAlias

import numpy as np

from diascope.errors import Unreadable
from diascope.image.region import Ints

HEADER_SIZE = 1024
MAGIC_AT, MAGIC = 208, b"MAP"
STAMP_AT = 212
Order: TypeAlias = Literal["<", ">"]

STAMPS: dict[bytes, Order] = {b"\x44\x44": "<", b"\x44\x41": "<", b"\x11\x11": ">"}

IMOD_AT, IMOD = 152, 1146047817
SIGNED = 1

TYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2", 16: "u1", 101: "u1"}
COMPLEX = {3: "complex 16-bit integers", 4: "complex 32-bit floats"}
RGB, PACKED = 16, 101
"""Colours of three bytes, and two pixels in a byte, which is IMOD's."""

LONGEST_AXIS = 1 << 31
IMAGES, VOLUMES = 0, range(401, 631)
STACKS = (".mrcs", ".st", ".ali", ".preali")
"""Files named so hold images, whatever their header says of a volume."""


def order_of(first: bytes) -> Order | None:
    """The byte order of a header with a machine stamp, or the one in which it makes sense; None where none does."""
    stamp = STAMPS.get(first[STAMP_AT : STAMP_AT + 2])
    orders: tuple[Order | None, ...] = (stamp, "<", ">")
    return next((order for order in orders if order and _makes_sense(first, order)), None)


def _makes_sense(first: bytes, order: str) -> bool:
    if len(first) < HEADER_SIZE:
        return False
    *sizes, mode = struct.unpack_from(f"{order}4i", first)
    lies_along = struct.unpack_from(f"{order}3i", first, 64)
    known = mode in TYPES or mode in COMPLEX
    return known and all(0 < size < LONGEST_AXIS for size in sizes) and sorted(lies_along) in ([1, 2, 3], [0, 0, 0])


def is_header(first: bytes, *, old: bool) -> bool:
    """Whether bytes begin as an MRC file does; one without the magic number, from before 2000, only where allowed."""
    return (old or first[MAGIC_AT:][:3] == MAGIC) and order_of(first) is not None


@dataclass(frozen=True, slots=True)
class Header:
    """A header in the model's words."""

    first: bytes
    order: Order
    name: str
    """The path in lower case."""

    def ints(self, at: int, count: int) -> Ints:
        return struct.unpack_from(f"{self.order}{count}i", self.first, at)

    def floats(self, at: int, count: int) -> tuple[float, ...]:
        return struct.unpack_from(f"{self.order}{count}f", self.first, at)

    @property
    def mode(self) -> int:
        return self.ints(12, 1)[0]

    @property
    def is_rgb(self) -> bool:
        return self.mode == RGB

    @property
    def is_packed(self) -> bool:
        return self.mode == PACKED

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a sample; bytes are signed but where IMOD says that they are not."""
        if self.mode == 0 and self.ints(IMOD_AT, 2)[0] == IMOD and not self.ints(IMOD_AT, 2)[1] & SIGNED:
            return np.dtype("u1")
        return np.dtype(TYPES[self.mode]).newbyteorder(self.order)

    @property
    def extended(self) -> int:
        """The bytes of the extended header."""
        return self.ints(92, 1)[0]

    @property
    def exttyp(self) -> str:
        return _text(self.first[104:108])

    @property
    def space(self) -> str:
        """The axes of space along which columns, rows and sections lie."""
        lies_along = self.ints(64, 3)
        return "".join("xyz"[k - 1] for k in lies_along) if any(lies_along) else "xyz"

    @property
    def axes(self) -> str:
        """Slowest first, as the pixels lie in the file."""
        return self._laid_out[0]

    @property
    def shape(self) -> Ints:
        return self._laid_out[1]

    @property
    def _laid_out(self) -> tuple[str, Ints]:
        columns, rows, count = self.ints(0, 3)
        c, r, s = self.space[0], self.space[1], self.space[2]
        shape: Ints
        ispg, depth = self.ints(88, 1)[0], self.ints(36, 1)[0]
        if count == 1 and ispg == IMAGES and s == "z":
            axes, shape = r + c, (rows, columns)
        elif ispg in VOLUMES and 0 < depth < count and count % depth == 0:
            axes, shape = "t" + s + r + c, (count // depth, depth, rows, columns)
        elif s == "z" and self._are_images:
            axes, shape = "t" + r + c, (count, rows, columns)
        else:
            axes, shape = s + r + c, (count, rows, columns)
        return (axes + "c", (*shape, 3)) if self.is_rgb else (axes, shape)

    @property
    def _are_images(self) -> bool:
        """Whether sections are images of their own: a tilt series, or pictures of particles."""
        name = self.name.removesuffix(".gz").removesuffix(".bz2")
        return name.endswith(STACKS) or (self.ints(88, 1)[0] == IMAGES and self.ints(36, 1)[0] == 1)

    @property
    def nbytes(self) -> int:
        if self.is_packed:
            return prod(self.shape[:-1]) * -(-self.shape[-1] // 2)
        return prod(self.shape) * self.dtype.itemsize

    @property
    def scale(self) -> Mapping[str, float]:
        """The distance of pixels in ångström along the axes of which it is known."""
        lengths = zip("xyz", self.floats(40, 3), self.ints(28, 3), strict=True)
        found = {name: cell / count for name, cell, count in lengths if count > 0 and isfinite(cell) and cell > 0}
        return {name: size for name, size in found.items() if name in self.axes and size > 0}

    @property
    def first_pixel(self) -> Mapping[str, int]:
        """The place of the first pixel in the unit cell, in pixels."""
        return dict(zip(self.space, self.ints(16, 3), strict=True))

    @property
    def place(self) -> Mapping[str, float]:
        """The position of the first pixel in ångström: the origin, or where there is none its place in the cell."""
        origin = self.floats(196, 3)
        if any(origin) and all(map(isfinite, origin)):
            return {name: at for name, at in zip("xyz", origin, strict=True) if name in self.scale}
        return {name: self.first_pixel[name] * size for name, size in self.scale.items()}

    @property
    def labels(self) -> tuple[str, ...]:
        count = min(max(self.ints(220, 1)[0], 0), 10)
        return tuple(_text(self.first[at : at + 80]) for at in range(224, 224 + 80 * count, 80))

    @property
    def description(self) -> str:
        return "\n".join(label for label in self.labels if label)

    @property
    def extra(self) -> Mapping[str, Any]:
        """The fields that have no place in the model, in the format's words."""
        angles = [angle if isfinite(angle) else None for angle in self.floats(52, 3)]
        ints = {"mode": self.mode, "ispg": self.ints(88, 1)[0], "nstart": list(self.ints(16, 3))}
        return {**ints, "mxyz": list(self.ints(28, 3)), "cellb": angles, "exttyp": self.exttyp, "axes": self.space}


def header(first: bytes, name: str) -> Header:
    """The header in the first bytes of a file; raises Unreadable where it cannot be true or is not supported."""
    order = order_of(first)
    if order is None:
        raise Unreadable("it does not begin with a whole MRC header")
    found = Header(first[:HEADER_SIZE], order, name)
    if found.mode in COMPLEX:
        raise Unreadable(f"its pixels are {COMPLEX[found.mode]}: the half of a Fourier transform is no image")
    if found.extended < 0:
        raise Unreadable(f"an extended header of {found.extended} bytes cannot be")
    return found


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", "replace").strip()
