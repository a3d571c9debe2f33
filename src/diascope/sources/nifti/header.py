"""What the header of a NIfTI file says of its image.

https://nifti.nimh.nih.gov/nifti-1/ and https://nifti.nimh.nih.gov/nifti-2/, whose fields nibabel reads.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.affine import Affine, affine
from diascope.image.axes import Axis
from diascope.image.image import Kind
from diascope.image.metadata import Channel
from diascope.image.region import Ints
from diascope.image.units import ratio

SIZES = {1: 348, 2: 540}
"""How long the header is, by the version of the format; the length is also its first field."""

MAGIC_AT = {1: 344, 2: 4}
MAGICS = {b"n+1\0", b"ni1\0", b"n+2\0", b"ni2\0"}

SPACES = {1: "scanner", 2: "aligned", 3: "talairach", 4: "mni152", 5: "template"}
"""The names of the worlds by qform_code and sform_code."""

SPACE_UNITS = {"meter": "meter", "mm": "millimeter", "micron": "micrometer"}
TIME_UNITS = {"sec": "second", "msec": "millisecond", "usec": "microsecond"}

LABEL = 1002
CIFTI = range(3000, 3100)
"""The intents of CIFTI-2, whose matrix stands in the dimensions 5 and up (https://www.nitrc.org/projects/cifti/)."""

ERROR = 40
"""Trouble of this weight makes nibabel refuse a header."""

QUIET = logging.getLogger(f"{__name__}.mended")
QUIET.disabled = True
"""nibabel tells of every field that it mends; what it cannot mend is raised."""

LONGEST_RANK = 7


def version_of(first: bytes) -> int | None:
    """1 or 2 where bytes begin as a NIfTI header in either byte order, else None."""
    for version, size in SIZES.items():
        magic = first[MAGIC_AT[version] :][:4]
        if int.from_bytes(first[:4], "little") == size or int.from_bytes(first[:4], "big") == size:
            return version if magic in MAGICS and magic[2:3] == str(version).encode() else None
    return None


@dataclass(frozen=True, slots=True)
class Header:
    """A header that nibabel accepts, in the model's words."""

    fields: Any
    """nibabel's header."""
    version: int
    axes: str
    """Slowest first, as the pixels lie in the file."""
    shape: Ints
    """Along those axes."""
    dtype: np.dtype[Any]
    """Of one sample, in the byte order of the file."""

    @property
    def offset(self) -> int:
        """Where the pixels begin."""
        return int(self.fields["vox_offset"])

    @property
    def is_single(self) -> bool:
        """Whether the pixels stand in the same file."""
        return bytes(self.fields["magic"].item()).startswith(b"n+")

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    @property
    def is_rgb(self) -> bool:
        return self.axes.endswith("xc")

    @property
    def kind(self) -> Kind:
        if self.is_rgb:
            return "rgb"
        labels = self.intent == LABEL and self.dtype.kind in "iu" and self.rescale is None
        return "labels" if labels else "intensity"

    @property
    def intent(self) -> int:
        return int(self.fields["intent_code"])

    @property
    def rescale(self) -> tuple[float, float] | None:
        slope, inter = self.fields.get_slope_inter()
        return None if slope is None or self.is_rgb or (slope, inter) == (1.0, 0.0) else (slope, inter)

    def size(self, axis: str) -> int:
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    def spacing(self, axis: str) -> float:
        """The distance of neighbours along an axis, 1 where none is known."""
        if axis not in "xyzt" or self.intent in CIFTI:
            return 1.0
        found = abs(float(self.fields["pixdim"][1 + "xyzt".index(axis)]))
        return found if isfinite(found) and found > 0 else 1.0

    @property
    def first_time(self) -> float:
        found = float(self.fields["toffset"])
        return found if isfinite(found) else 0.0

    @property
    def units(self) -> tuple[str, str | None]:
        """Of space, millimetres where none is named, and of time."""
        try:
            space, time = self.fields.get_xyzt_units()
        except KeyError:
            return "millimeter", None
        return SPACE_UNITS.get(space, "millimeter"), TIME_UNITS.get(time)

    def axis(self, name: str) -> Axis:
        space, time = self.units
        if self.intent in CIFTI:
            return Axis(name)
        return Axis(name, space if name in "xyz" else time if name == "t" else None)

    @property
    def world(self) -> Affine | None:
        """The map of sform, or else of qform, where its code names a world."""
        matrix, code = self._index_to_world()
        if matrix is None or code <= 0 or self.intent in CIFTI or not np.isfinite(matrix).all():
            return None
        per_unit = np.diag([1 / self.spacing(axis) for axis in "xyz"] + [1.0])
        millimetres = np.diag([ratio(self.units[0], "millimeter")] * 3 + [1.0])
        return affine(millimetres @ matrix @ per_unit, SPACES.get(code, f"code-{code}"))

    def _index_to_world(self) -> tuple[Any, int]:
        matrix, code = self.fields.get_sform(coded=True)
        return (matrix, int(code)) if code > 0 else self.fields.get_qform(coded=True)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The window of cal_min and cal_max, in stored values."""
        low, high = float(self.fields["cal_min"]), float(self.fields["cal_max"])
        window = None
        if isfinite(low) and isfinite(high) and low < high and not self.is_rgb:
            slope, inter = self.rescale or (1.0, 0.0)
            ends = sorted(((low - inter) / slope, (high - inter) / slope))
            window = (ends[0], ends[1])
        return tuple(Channel(window=window) for _ in range(self.size("c")))

    @property
    def extra(self) -> Mapping[str, Any]:
        """The fields that have no place in the model, as they stand in the header."""
        words = {name: _text(self.fields[name]) for name in ("intent_name", "aux_file")}
        codes = {name: int(self.fields[name]) for name in ("intent_code", "qform_code", "sform_code", "datatype")}
        dims = {"dim": [int(n) for n in self.fields["dim"]], "pixdim": [_plain(x) for x in self.fields["pixdim"]]}
        return {**dims, **codes, **{name: text for name, text in words.items() if text}}

    @property
    def description(self) -> str:
        return _text(self.fields["descrip"])


def header(first: bytes) -> Header:
    """The header in the first bytes of a file; raises Unreadable where it cannot be true."""
    version = version_of(first)
    if version is None or len(first) < SIZES[version]:
        raise Unreadable("it does not begin with a whole NIfTI header")
    fields = _fields(first, version)
    dims = tuple(int(n) for n in fields.get_data_shape())
    if not 0 < len(dims) <= LONGEST_RANK or min(dims) < 1:
        raise Unreadable(f"the header declares the dimensions {dims}")
    dtype, colours = _dtype(fields)
    axes, shape = _laid_out(dims, colours, cifti=int(fields["intent_code"]) in CIFTI)
    return Header(fields, version, axes, shape, dtype)


def _fields(first: bytes, version: int) -> Any:
    from nibabel.nifti1 import Nifti1Header, Nifti1PairHeader
    from nibabel.nifti2 import Nifti2Header, Nifti2PairHeader

    single = first[MAGIC_AT[version] :][1:2] == b"+"
    kinds = {(1, True): Nifti1Header, (1, False): Nifti1PairHeader, (2, True): Nifti2Header}
    kind = kinds.get((version, single), Nifti2PairHeader)
    fields = kind(first[: SIZES[version]], check=False)
    fields.check_fix(logger=QUIET, error_level=ERROR)
    return fields


def _dtype(fields: Any) -> tuple[np.dtype[Any], int]:
    """The type of a sample, and how many of them make a colour, 1 where there are none."""
    dtype = fields.get_data_dtype()
    if dtype.names:
        return np.dtype(np.uint8), len(dtype.names)
    if dtype.kind not in "iufc" or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise Unreadable(f"pixels of the type {dtype} are not supported")
    return dtype, 1


def _laid_out(dims: Ints, colours: int, *, cifti: bool) -> tuple[str, Ints]:
    """Axes and shape, slowest first, of what lies in the file with the first dimension fastest.

    Dimensions beyond the third are left out where they are 1; those beyond the fourth are one channel axis.
    """
    if cifti and dims[:4] == (1, 1, 1, 1) and len(dims) > 4:
        dims = dims[4:]
    names = "xyzt"[: max(len(dims), 2)]
    sizes = (*dims, 1)[: len(names)]
    vector = prod(dims[4:])
    if vector > 1 and colours > 1:
        raise Unreadable(f"the dimensions {dims} of colours have no place among the axes t c z y x")
    if len(sizes) > 3 and sizes[3] == 1:
        names, sizes = names[:3], sizes[:3]
    if vector > 1:
        names, sizes = names + "c", (*sizes, vector)
    if colours > 1:
        names, sizes = "c" + names, (colours, *sizes)
    return names[::-1], sizes[::-1]


def _text(field: Any) -> str:
    return bytes(field.item()).split(b"\0")[0].decode("utf-8", "replace").strip()


def _plain(number: Any) -> float | None:
    """JSON knows no NaN and no infinity."""
    return float(number) if isfinite(number) else None
