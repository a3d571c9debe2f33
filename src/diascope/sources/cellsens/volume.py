"""The tree of properties in a VSI file.

A volume is a header and the fields behind it; a field may be a volume::

    volume  24:2  "IS":2  version:4  offset of the first field:8  flags and count:4  -:4
    field   type and flags:4  tag:4  offset of the next field:4  size:4  [second tag:4]  data

Offsets count from the volume. Flags of a field: bit 27 a second tag follows, 28 it is a volume or of another
extended type, 30 the size is the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from
from typing import Any

import numpy as np

from diascope.errors import Unreadable

START = b"\x18\0IS"
HEADER, FIELD = 24, 16

SECOND, EXTENDED, INLINE = 1 << 27, 1 << 28, 1 << 30
COUNT = 0xFFFFFFF
KIND = 0xFFFFFF
VOLUMES = (0, 1, 2)
"""The extended types that are volumes."""

MOST_FIELDS = 1 << 19
DEEPEST = 24
LONGEST_TEXT = 1 << 16

INTEGERS = frozenset({256, 257, 258, 259, 267, 274, 275, 276, 277, 8195, 8199, 8200, 8470})
NUMBERS = frozenset({260, 261, 262, 263, 264, 265, 266, 268, 279, 280, 281})
SCALARS = {
    1: "<i1", 2: "<u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<i8", 8: "<u8", 9: "<f4", 10: "<f8", 12: "<u1",
    14: "<u4", 17: "<i8", 18: "<f8",
}  # fmt: skip
COLOURS = 270
"""Triples of blue, green and red."""
TEXTS = (13, 8192)


@dataclass(frozen=True, slots=True)
class Field:
    """A property: a number, some numbers, a text, bytes, or a volume."""

    tag: int
    second: int
    value: Any


@dataclass(frozen=True, slots=True)
class Volume:
    """Properties in their order."""

    fields: tuple[Field, ...] = ()

    def all(self, tag: int) -> Iterator[Field]:
        """Those of a tag."""
        return (field for field in self.fields if field.tag == tag)

    def get(self, tag: int, kind: type | tuple[type, ...] = object) -> Any:
        """The first value of a tag that is of this type, None where there is none."""
        return next((field.value for field in self.all(tag) if isinstance(field.value, kind)), None)

    def volume(self, *tags: int) -> Volume:
        """The volume that is found by following the first of each tag, an empty one where there is none."""
        found: Volume = self
        for tag in tags:
            found = found.get(tag, Volume) or Volume()
        return found


@dataclass(slots=True)
class _Budget:
    """How many fields may still be read: their offsets may lead in circles."""

    fields: int = MOST_FIELDS

    def spend(self) -> None:
        self.fields -= 1
        if self.fields < 0:
            raise Unreadable(f"its properties are more than {MOST_FIELDS}, or lead in circles")


def tree(data: bytes) -> Volume:
    """All the properties of a file that begins with these bytes; what lies behind them is left out."""
    return _volume(data, 8, 0, _Budget())


def _volume(data: bytes, start: int, depth: int, budget: _Budget) -> Volume:
    if depth > DEEPEST:
        raise Unreadable(f"its properties are nested deeper than {DEEPEST}")
    if start + HEADER > len(data) or data[start : start + len(START)] != START:
        return Volume()
    offset, count = unpack_from("<qI", data, start + 8)
    found, at = [], start + offset
    for _ in range(count & COUNT):
        if not start < at <= len(data) - FIELD:
            break
        budget.spend()
        kind, tag, behind, size = unpack_from("<IiIi", data, at)
        at, second = at + FIELD, -1
        if kind & SECOND and at + 4 <= len(data):
            (second,) = unpack_from("<i", data, at)
            at += 4
        if kind & EXTENDED and kind & KIND in VOLUMES:
            found.append(Field(tag, second, _volume(data, at, depth + 1, budget)))
        else:
            found.append(
                Field(tag, second, size if kind & INLINE else _value(data[at : at + max(size, 0)], kind & KIND))
            )
        if not behind:
            break
        at = start + behind
    return Volume(tuple(found))


def _value(data: bytes, kind: int) -> Any:
    """None where the bytes are too few or of a type that tells nothing here."""
    if kind in TEXTS:
        # Of one byte a letter or of two, and no type tells which.
        text = data[:LONGEST_TEXT]
        return text.decode("utf-16-le" if 0 in text[1:2] else "utf-8", "replace").partition("\0")[0].strip()
    if kind in INTEGERS:
        return tuple(np.frombuffer(data, "<i4", len(data) // 4).tolist())
    if kind in NUMBERS:
        return tuple(np.frombuffer(data, "<f8", len(data) // 8).tolist())
    if kind == COLOURS:
        return data
    dtype = np.dtype(SCALARS.get(kind, "V1"))
    return np.frombuffer(data, dtype, 1)[0].item() if kind in SCALARS and len(data) >= dtype.itemsize else None
