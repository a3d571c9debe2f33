"""Look-up tables of colours in files as ImageJ keeps them (ij/plugin/LutLoader).

::

    raw     red 256 │ green 256 │ blue 256
    NIH     ICOL │ version 2 │ colours 2 │ start 2 │ end 2 │ fill 20 │ red, green, blue of so many colours
    text    three numbers a line, or four of which the first counts; perhaps a line of headings before
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from diascope.errors import BadRequest
from diascope.operations.values import Spelling

RAW = {768, 970}
"""How many bytes a table without a header has; of the longer one the first 768."""
NIH_HEADER = 32
MOST_COLOURS = 256
LARGEST = 1 << 16
"""How many bytes a file has at most."""

NAME = re.compile(r"(?!\.)[\w. -]{1,100}(?<!\.)(@[0-9a-f]{8})?", re.ASCII)
NUMBERS = re.compile(r"(?:\d{1,6}[\s,;]+)?(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lut:
    """A table by the name of its file."""

    name: str
    version: str | None = None
    """Of the file's bytes; None as long as it was not looked at."""
    colours: bytes = b""
    """Red, green and blue of 256 colours; none as long as it was not looked at."""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name

    def of(self, data: bytes) -> Lut:
        """The same with the table of a file's bytes; raises BadRequest where they are none."""
        try:
            colours = table(data)
        except ValueError as error:
            raise BadRequest(f"{self.name} is no look-up table of ImageJ: {error}") from error
        return Lut(self.name, sha256(data).hexdigest()[:8], colours)


def table(data: bytes) -> bytes:
    """Red, green and blue of the 256 colours of a file; raises ValueError with what is wrong."""
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes")
    if len(data) in RAW:
        return _spread(np.frombuffer(data[:768], np.uint8).reshape(3, 256).T)
    if data[:4] == b"ICOL":
        count = int.from_bytes(data[6:8], "big")
        if not 2 <= count <= MOST_COLOURS or len(data) < NIH_HEADER + 3 * count:
            raise ValueError(f"{len(data)} bytes cannot hold the {count} colours that it tells of")
        return _spread(np.frombuffer(data, np.uint8, 3 * count, NIH_HEADER).reshape(3, count).T)
    return _spread(np.array(list(_rows(data)), np.uint8))


def _rows(data: bytes) -> Iterator[tuple[int, ...]]:
    try:
        lines = [line.strip() for line in data.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise ValueError("it has neither the length of a binary table nor only text") from None
    lines = lines[1:] if lines and lines[0][0].isalpha() else lines
    if not 2 <= len(lines) <= MOST_COLOURS:
        raise ValueError(f"it has {len(lines)} lines of colours, not 2 to {MOST_COLOURS}")
    for line in lines:
        found = NUMBERS.fullmatch(line)
        colour = tuple(map(int, found.groups())) if found else ()
        if not colour or max(colour) > 255:
            raise ValueError(f"the line {line[:40]!r} is not three numbers up to 255")
        yield colour


def _spread(colours: NDArray[np.uint8]) -> bytes:
    """All 256 colours, those between the ones that are given mixed as ImageJ does it."""
    count = len(colours)
    at = np.arange(256) * count / 256
    mixed = [np.interp(at, np.arange(count), colours[:, k]) for k in range(3)]
    return np.stack(mixed, axis=1).astype(np.uint8).tobytes()


def _lut(value: Any) -> Lut | None:
    if value is None or isinstance(value, Lut):
        return value
    if not NAME.fullmatch(str(value)):
        raise ValueError("a look-up table is named by its file: letters, digits, spaces, . _ and -")
    name, _, version = str(value).partition("@")
    return Lut(name, version or None)


OptionalLut = Annotated[Lut | None, BeforeValidator(_lut), Spelling("glow.lut")]
