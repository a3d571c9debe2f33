"""The directory of a CZI file: where its pieces of pixels, the subblocks, are stored and belong.

An entry is of as many bytes as it has dimensions, and a dimension is of twenty::

    "DV"  pixel type:4  position:8  part:4  compression:4  pyramid:1  -:5  dimensions:4
    letter:4  start:4  size:4  coordinate:4  stored size:4
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.sources.czi.segments import segment
from diascope.stores.store import Blob

ENTRY = 32
DIMENSION = np.dtype([("letter", "S4"), ("start", "<i4"), ("size", "<i4"), ("coordinate", "<f4"), ("stored", "<i4")])
COUNT_SIZE = 128
MOST_DIMENSIONS = 40

MISSING = {"S": -1, "M": -1}
"""The place of a subblock that lacks the dimension of scenes or of the order of tiles: before all others."""

Column: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Subblocks:
    """The columns of a table with a row for each subblock."""

    position: Column
    """Of its segment in the file."""
    pixel_type: Column
    compression: Column
    starts: dict[str, Column]
    """Along each dimension but X and Y by its letter, 0 for those that lack it; of scenes and tiles it is -1."""
    x: Column
    y: Column
    width: Column
    """In pixels of the finest level."""
    height: Column
    stored_width: Column
    stored_height: Column

    def __len__(self) -> int:
        return len(self.position)

    def taken(self, rows: NDArray[Any]) -> Subblocks:
        """Those rows alone, by number or by truth."""
        columns = (
            "position",
            "pixel_type",
            "compression",
            "x",
            "y",
            "width",
            "height",
            "stored_width",
            "stored_height",
        )
        starts = {letter: column[rows] for letter, column in self.starts.items()}
        return replace(self, starts=starts, **{name: getattr(self, name)[rows] for name in columns})

    def along(self, letter: str) -> Column:
        """Its places along a dimension."""
        return self.starts.get(letter, np.full(len(self), MISSING.get(letter, 0), np.int64))


def subblocks(blob: Blob, position: int) -> Subblocks:
    """The table of a file; raises Unreadable where it cannot be true."""
    count = int(np.frombuffer(segment(blob, position, b"ZISRAWDIRECTORY", 4), "<i4")[0])
    smallest = ENTRY + 2 * DIMENSION.itemsize
    if not 0 < count <= blob.stat.size // smallest:
        raise Unreadable(f"a file of {blob.stat.size} bytes cannot have {count} subblocks")
    (used,) = np.frombuffer(blob.read(position + 24, position + 32), "<i8")
    room = blob.stat.size - position - 32
    longest = COUNT_SIZE + count * (ENTRY + MOST_DIMENSIONS * DIMENSION.itemsize)
    size = int(used) if COUNT_SIZE < used <= room else min(room, longest)
    data = segment(blob, position, b"ZISRAWDIRECTORY", size)
    found = _table(list(_runs(data, count)))
    _check(found, blob.stat.size)
    return found


def _runs(data: bytes, count: int) -> Iterator[NDArray[Any]]:
    """The entries, those together that have the same dimensions."""
    at, window = COUNT_SIZE, 1
    while count > 0:
        if len(data) < at + ENTRY:
            raise Unreadable(f"its directory ends {count} subblocks too soon")
        dimensions = int.from_bytes(data[at + 28 : at + 32], "little")
        if not 2 <= dimensions <= MOST_DIMENSIONS:
            raise Unreadable(f"a subblock cannot have {dimensions} dimensions")
        row = _row(dimensions)
        rows = np.frombuffer(data, row, min(window, count, (len(data) - at) // row.itemsize), at)
        if not len(rows) or rows["schema"][0] != b"DV":
            raise Unreadable("an entry of its directory is cut or of an unknown kind")
        alike = (rows["schema"] == b"DV") & (rows["count"] == dimensions)
        alike &= (rows["dimensions"]["letter"] == rows["dimensions"]["letter"][0]).all(axis=1)
        length = len(rows) if alike.all() else int(np.argmin(alike))
        window = window * 2 if length == len(rows) else 1
        count, at = count - length, at + length * row.itemsize
        yield rows[:length]


def _row(dimensions: int) -> np.dtype[Any]:
    return np.dtype(
        [
            ("schema", "S2"), ("pixel_type", "<i4"), ("position", "<i8"), ("part", "<i4"), ("compression", "<i4"),
            ("pyramid", "u1"), ("spare", "V5"), ("count", "<i4"), ("dimensions", DIMENSION, (dimensions,)),
        ]
    )  # fmt: skip


def _table(runs: list[NDArray[Any]]) -> Subblocks:
    letters = {_letter(raw) for run in runs for raw in run["dimensions"]["letter"][0]}
    if not {"X", "Y"} <= letters:
        raise Unreadable("its subblocks have no place along X and Y")
    if any(run["part"].any() for run in runs):
        raise Unreadable("its pixels lie in several files, which is not supported")
    starts = {letter: _column(runs, letter, "start", MISSING.get(letter, 0)) for letter in letters}
    for letter in letters - {"X", "Y"}:
        if (_column(runs, letter, "size", 1) > 1).any():
            raise Unreadable(f"subblocks of several planes along {letter} are not supported")
    sizes = {letter: _column(runs, letter, "size", 0) for letter in "XY"}
    stored = {letter: _column(runs, letter, "stored", 0) for letter in "XY"}
    # A stored size of 0 says that it is the size.
    stored = {letter: np.where(stored[letter] > 0, stored[letter], sizes[letter]) for letter in "XY"}
    return Subblocks(
        position=_plain(runs, "position"),
        pixel_type=_plain(runs, "pixel_type"),
        compression=_plain(runs, "compression"),
        starts=starts,
        x=starts.pop("X"),
        y=starts.pop("Y"),
        width=sizes["X"],
        height=sizes["Y"],
        stored_width=stored["X"],
        stored_height=stored["Y"],
    )


@lru_cache(maxsize=64)
def _letter(raw: bytes) -> str:
    return raw.decode("latin-1").strip().upper()


def _plain(runs: list[NDArray[Any]], name: str) -> Column:
    return np.concatenate([run[name].astype(np.int64) for run in runs])


def _column(runs: list[NDArray[Any]], letter: str, name: str, default: int) -> Column:
    """What the entries say of a dimension, a default for those that lack it."""
    pieces = []
    for run in runs:
        places = [k for k, raw in enumerate(run["dimensions"]["letter"][0]) if _letter(raw) == letter]
        found = run["dimensions"][name][:, places[0]] if places else np.full(len(run), default)
        pieces.append(found.astype(np.int64))
    return np.concatenate(pieces)


def _check(found: Subblocks, size: int) -> None:
    """Raise Unreadable where a subblock has no pixels, or lies beyond the end of the file."""
    sides = np.stack([found.width, found.height, found.stored_width, found.stored_height])
    if sides.min() < 1:
        raise Unreadable("a subblock has no pixels")
    if found.position.min() < 0 or found.position.max() >= size:
        raise Unreadable("a subblock lies beyond the end of the file")
