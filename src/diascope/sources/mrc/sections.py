"""What the extended header of an MRC file says of its sections.

::

    SERI, AGAR   nint bytes a section, of which the flags nreal say what they are (IMOD's manual)
    FEI1, FEI2   its own length, a version, and fields at fixed places, a section after the other

https://bio3d.colorado.edu/imod/doc/mrc_format.txt; the fields of FEI1 and FEI2 are those that mrcfile lists.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from diascope.sources.mrc.header import Header

LONGEST_TOLD = 1 << 18
"""Of a longer extended header the rest is not looked at."""

TILT, MONTAGE, STAGE, MAGNIFICATION, INTENSITY, DOSE = 1, 2, 4, 8, 16, 32
LENGTHS = {TILT: 2, MONTAGE: 6, STAGE: 4, MAGNIFICATION: 2, INTENSITY: 2, DOSE: 4}

FEI_LENGTHS = range(768, 4097)
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
"""From which FEI counts days."""
LATEST_DAY = 2_958_465
METRES_TO_MICROMETRES = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """What is known of the sections, in the model's words where it is of the first one."""

    acquired: str | None = None
    magnification: float | None = None
    instrument: str = ""
    position: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def sections(header: Header, data: bytes) -> Sections:
    """Nothing where the extended header is of another kind or too short."""
    if header.exttyp in {"FEI1", "FEI2"}:
        return _fei(header, data)
    if header.exttyp in {"SERI", "AGAR"}:
        return _serial_em(header, data)
    return Sections()


def _serial_em(header: Header, data: bytes) -> Sections:
    length, flags = struct.unpack_from(f"{header.order}2h", header.first, 128)
    present = [flag for flag in LENGTHS if flags & flag]
    if length <= 0 or sum(LENGTHS[flag] for flag in present) > length:
        return Sections()
    rows = [data[at : at + length] for at in range(0, len(data) - length + 1, length)][: header.ints(8, 1)[0]]
    told = [dict(_fields(row, present, header.order)) for row in rows]
    first = told[0] if told else {}
    stage = first.get(STAGE, ())
    extra = {"tilt_angles": [row[TILT][0] / 100 for row in told]} if TILT in present else {}
    return Sections(
        magnification=first[MAGNIFICATION][0] * 100.0 if MAGNIFICATION in present and first else None,
        position=dict(zip("xy", (at / 25 for at in stage), strict=False)),
        extra=extra,
    )


def _fields(row: bytes, present: list[int], order: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    at = 0
    for flag in present:
        yield flag, struct.unpack_from(f"{order}{LENGTHS[flag] // 2}h", row, at)
        at += LENGTHS[flag]


def _fei(header: Header, data: bytes) -> Sections:
    order, count = header.order, header.ints(8, 1)[0]
    length = struct.unpack_from(f"{order}i", data)[0] if len(data) >= FEI_LENGTHS.start else 0
    if length not in FEI_LENGTHS:
        return Sections()
    rows = [data[at : at + length] for at in range(0, len(data) - length + 1, length)][:count]
    doubles = {"tilt_angles": 100, "defocus": 220, "dose": 92}
    extra: dict[str, Any] = {name: [_double(row, at, order) for row in rows] for name, at in doubles.items()}
    extra["voltage"] = _double(rows[0], 84, order)
    stage = {name: _double(rows[0], at, order) for name, at in (("x", 116), ("y", 124), ("z", 132))}
    return Sections(
        acquired=_date(_double(rows[0], 12, order)),
        magnification=_double(rows[0], 289, order) or None,
        instrument=rows[0][20:36].split(b"\0")[0].decode("ascii", "replace").strip(),
        position={name: at * METRES_TO_MICROMETRES for name, at in stage.items() if at is not None},
        extra=extra,
    )


def _double(row: bytes, at: int, order: str) -> float | None:
    found: float = struct.unpack_from(f"{order}d", row, at)[0]
    return found if isfinite(found) else None


def _date(days: float | None) -> str | None:
    if days is None or not 1 < days < LATEST_DAY:
        return None
    return (DAY_ZERO + timedelta(days=days)).replace(tzinfo=None).isoformat(timespec="seconds")
