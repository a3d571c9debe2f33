"""Matrices in text files: rows of numbers, as FSL, NumPy and spreadsheets write them.

::

    # of a volume      # of a plane
    1 0 0 5            1 0 5
    0 1 0 3            0 1 3
    0 0 1 2            0 0 1    the last row may be missing
    0 0 0 1
"""

from __future__ import annotations

import re
from math import isfinite

LARGEST = 1 << 16
"""How many bytes a file has at most."""

SHAPES = {(2, 3), (3, 3), (3, 4), (4, 4)}


def matrix_of(data: bytes) -> tuple[float, ...]:
    """The 6 or 12 numbers of a file, row by row; raises ValueError with what is wrong."""
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes")
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    rows = [_row(line) for line in lines if line and not line.startswith("#")]
    if len({len(row) for row in rows}) != 1 or (len(rows), len(rows[0])) not in SHAPES:
        raise ValueError("it has not 2 rows of 3 numbers or 3 rows of 4, and perhaps 0 0 1 or 0 0 0 1 below them")
    width = len(rows[0])
    if len(rows) == width and rows.pop() != (*[0.0] * (width - 1), 1.0):
        raise ValueError(f"its last row is not {'0 ' * (width - 1)}1")
    return tuple(number for row in rows for number in row)


def _row(line: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(text) for text in re.split(r"[\s,;]+", line.strip(",; ")))
    except ValueError:
        raise ValueError(f"the line {line[:40]!r} is not numbers") from None
    if not all(map(isfinite, numbers)):
        raise ValueError(f"the line {line[:40]!r} is not finite numbers")
    return numbers
