"""The headers of FITS files (https://fits.gsfc.nasa.gov/standard40/fits_standard40aa-le.pdf, clauses 3 and 4).

Blocks of 2880 bytes; a header is cards of 80 characters up to one that says END ::

    SIMPLE  =                    T / a comment
    NAXIS1  =                  256
    OBJECT  = 'O''Hara  '
    END
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from diascope.errors import Unreadable
from diascope.image.region import Ints
from diascope.sources.reading.plain.row_major import ReadBytes

BLOCK, CARD = 2880, 80
MOST_BLOCKS = 4096
"""Of one header."""
MOST_UNITS = 10_000
MOST_AXES = 999

Value: TypeAlias = bool | int | float | str

CARD_VALUE = re.compile(r"= +(?:'((?:[^']|'')*)'|([TF])(?= |/|$)|([-+.\dEDed]+))")


@dataclass(frozen=True, slots=True)
class Unit:
    """A header and what lies behind it."""

    cards: dict[str, Value]
    start: int
    """Of its data."""

    @property
    def bits(self) -> int:
        return self.integer("BITPIX")

    @property
    def shape(self) -> Ints:
        """Slowest first, as the data lies."""
        rank = self.integer("NAXIS")
        if not 0 <= rank <= MOST_AXES:
            raise Unreadable(f"data of {rank} axes cannot be")
        return tuple(self.integer(f"NAXIS{k}") for k in range(rank, 0, -1))

    @property
    def stop(self) -> int:
        """Where the next header begins."""
        shape = self.shape
        count = prod(size for size in shape if size or len(shape) == 1) if shape else 0
        extra, groups = self.integer("PCOUNT", 0), self.integer("GCOUNT", 1)
        if self.cards.get("GROUPS") is not True:
            count = prod(shape) if shape else 0
        size = abs(self.bits) // 8 * groups * (extra + count)
        if size < 0 or extra < 0:
            raise Unreadable("a header tells of less than nothing")
        return self.start + -(-size // BLOCK) * BLOCK

    def integer(self, key: str, default: int | None = None) -> int:
        value = self.cards.get(key, default)
        if type(value) is not int or abs(value) >= 1 << 62:
            raise Unreadable(f"{key} is {value!r}, which is no number that it can be")
        return value

    def text(self, key: str) -> str:
        value = self.cards.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str, default: float) -> float:
        value = self.cards.get(key, default)
        return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else default


def units(read: ReadBytes, size: int) -> Iterator[Unit]:
    """Those of a file of so many bytes, up to the first whose header is cut off; data may reach over the end."""
    at = 0
    for k in range(MOST_UNITS):
        if at + BLOCK > size:
            return
        unit = _unit(read, at, first=k == 0)
        if unit is None:
            return
        yield unit
        at = unit.stop


def _unit(read: ReadBytes, at: int, *, first: bool) -> Unit | None:
    cards: dict[str, Value] = {}
    for k in range(MOST_BLOCKS):
        block = read(at + k * BLOCK, at + (k + 1) * BLOCK).decode("latin-1")
        if len(block) < BLOCK or (k == 0 and not block.startswith("SIMPLE  =" if first else "XTENSION=")):
            return None
        for start in range(0, BLOCK, CARD):
            card = block[start : start + CARD]
            key = card[:8].rstrip()
            if key == "END":
                return Unit(cards, at + (k + 1) * BLOCK)
            value = _value(card[8:])
            if key and value is not None:
                cards.setdefault(key, value)
    raise Unreadable(f"a header is longer than {MOST_BLOCKS} blocks")


def _value(text: str) -> Value | None:
    match = CARD_VALUE.match(text)
    if match is None:
        return None
    if match[1] is not None:
        return match[1].replace("''", "'").rstrip()
    if match[2]:
        return match[2] == "T"
    try:
        return int(match[3]) if match[3].lstrip("+-").isdecimal() else float(match[3].upper().replace("D", "E"))
    except ValueError:
        return None
