"""Landmarks in files as BigWarp writes them: a pair of points a line.

::

    "Pt-0","true","47.5","104.0","51.09","195.28"                 of planes
    "Pt-1","true","75.1","68.4","142.8","78.1","67.2","135.0"     of volumes
     name   active  moving x y (z)       fixed x y (z)

https://imagej.net/plugins/bigwarp
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from io import StringIO
from math import isfinite
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from diascope.errors import BadRequest
from diascope.operations.lengths import LARGEST
from diascope.operations.values import Spelling

MOST = 1000
"""Pairs; each is looked at for each pixel."""

NAME = re.compile(r"(?!\.)[\w. -]{1,100}(?<!\.)(@[0-9a-f]{8})?", re.ASCII)


class Pair(NamedTuple):
    """Where something is in the image, and where it is to be."""

    line: int
    moving: tuple[float, ...]
    fixed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Pairs by the name of their file."""

    name: str
    version: str | None = None
    """Of the file's bytes; None as long as it was not looked at."""
    pairs: tuple[Pair, ...] = ()
    """Those that are active; none as long as it was not looked at."""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name

    def of(self, data: bytes) -> Landmarks:
        """The same with the pairs of a file's bytes; raises BadRequest where they are none."""
        try:
            return Landmarks(self.name, sha256(data).hexdigest()[:8], pairs_of(data))
        except ValueError as error:
            raise BadRequest(f"{self.name} has no landmarks: {error}") from error

    @property
    def moving(self) -> NDArray[np.float64]:
        return np.array([pair.moving for pair in self.pairs])

    @property
    def fixed(self) -> NDArray[np.float64]:
        return np.array([pair.fixed for pair in self.pairs])


@lru_cache(maxsize=8)
def pairs_of(data: bytes) -> tuple[Pair, ...]:
    """The active pairs of a file; raises ValueError with the line that is wrong."""
    try:
        pairs = tuple(_pairs(data.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    if not pairs:
        raise ValueError("no line has an active pair")
    axes = len(pairs[0].fixed)
    seen: dict[tuple[float, ...], int] = {}
    for pair in pairs:
        if len(pair.fixed) != axes:
            raise ValueError(f"line {pair.line} has points of {len(pair.fixed)} axes, line {pairs[0].line} of {axes}")
        if (other := seen.setdefault(pair.fixed, pair.line)) != pair.line:
            raise ValueError(f"lines {other} and {pair.line} have the same fixed point")
    if len(pairs) <= axes:
        raise ValueError(f"{len(pairs)} active pairs are too few: points of {axes} axes need {axes + 1}")
    return pairs


def _pairs(text: str) -> Iterator[Pair]:
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    count = 0
    try:
        for row in lines:
            if not any(cell.strip() for cell in row):
                continue
            pair = _pair(lines.line_num, [cell.strip() for cell in row])
            count += pair is not None
            if count > MOST:
                raise ValueError(f"there are more than {MOST} active pairs")
            if pair:
                yield pair
    except csv.Error as error:
        raise ValueError(f"line {lines.line_num} is no line of CSV: {error}") from error


def _pair(line: int, row: Sequence[str]) -> Pair | None:
    """None where it is not active, as BigWarp keeps points whose partner is yet to be found."""
    if len(row) not in {6, 8}:
        raise ValueError(f"line {line} has {len(row)} columns; a pair has 6, and 8 in a volume")
    active = row[1].lower()
    if active not in {"true", "false"}:
        raise ValueError(f"line {line}: {row[1][:20]!r} is neither true nor false")
    if active == "false":
        return None
    numbers = tuple(_number(line, text) for text in row[2:])
    half = len(numbers) // 2
    return Pair(line, numbers[:half], numbers[half:])


def _number(line: int, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"line {line}: {text[:20]!r} is no number") from None
    if not isfinite(number) or abs(number) > LARGEST:
        raise ValueError(f"line {line} is active, and {text[:20]} is no place")
    return number


def _landmarks(value: Any) -> Landmarks | None:
    if value is None or isinstance(value, Landmarks):
        return value
    if not NAME.fullmatch(str(value)):
        raise ValueError("landmarks are named by their file: letters, digits, spaces, . _ and -")
    name, _, version = str(value).partition("@")
    return Landmarks(name, version or None)


OptionalLandmarks = Annotated[Landmarks | None, BeforeValidator(_landmarks), Spelling("landmarks.csv")]
