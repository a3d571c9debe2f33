"""How the tiles of a level lie beside one another, told by the names of folders and files and by some of the tiles."""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isfinite

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.region import Ints
from diascope.sources.members import Member
from diascope.sources.reading.documents import joined
from diascope.sources.reading.steady import Steady
from diascope.stores.store import Store

MDATA = "mdata.bin"
MDATA_VERSION = 2.0
MOST_TILES = 1 << 16
"""Along an axis, the planes of a tile counted among them."""

ROW = re.compile(r"(\d{6,12})")
COLUMN = re.compile(r"\d{6,12}_(\d{6,12})")
TILE = re.compile(r"\d{6,12}_\d{6,12}_(\d{6,12})\.\w{1,5}")
TENTHS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """The tiles along an axis."""

    names: tuple[str, ...]
    """Folders of rows and of columns in the first row, and of files what stands behind the place in their names."""
    ends: Ints
    """Where each ends, in pixels."""

    def touched(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Number, start and stop of the tiles that a range touches."""
        k = bisect_right(self.ends, start)
        while start < stop and k < len(self.ends) and (first := self.ends[k - 1] if k else 0) < stop:
            yield k, first, self.ends[k]
            k += 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """A level's tiles."""

    path: str
    rows: Along
    columns: Along
    depths: Along
    first: Image
    """The tile in the origin."""
    voxel: tuple[float, float, float] | None
    """Its size along z, y and x in micrometres, None where nothing tells it."""

    @property
    def axes(self) -> str:
        return "czyx" if self.first.kind == "rgb" else "zyx"

    @property
    def shape(self) -> Ints:
        sizes = (self.depths.ends[-1], self.rows.ends[-1], self.columns.ends[-1])
        return (self.first.size("c"), *sizes) if self.first.kind == "rgb" else sizes

    def member(self, row: int, column: int, depth: int) -> Member:
        """The file of a tile."""
        y = self.rows.names[row]
        place = f"{y}_{self.columns.names[column].partition('_')[2]}"
        return Member(joined(joined(joined(self.path, y), place), f"{place}_{self.depths.names[depth]}"))


def grid(store: Store, members: Steady, path: str, sizes: Ints) -> Grid:
    """The tiles in a folder; ``sizes`` are those along z, y and x that it is named after, if it is.

    Raises Unreadable where these are not those of its tiles.
    """
    rows = _names(store, path, ROW, folders=True)
    columns = _names(store, joined(path, rows[0]), COLUMN, folders=True)
    folder = joined(joined(path, rows[0]), columns[0])
    files = _names(store, folder, TILE, folders=False)
    first = members.image(Member(joined(folder, files[0])))
    ends = {name: name.rpartition("_")[2] for name in files}

    def tile(row: str, column: str, file: str) -> Image:
        place = f"{row}_{column.partition('_')[2]}"
        return members.image(Member(joined(joined(joined(path, row), place), f"{place}_{ends[file]}")))

    z, y, x = sizes or (None, None, None)
    down = _along(rows, y, lambda name: tile(name, columns[0], files[0]).size("y"))
    across = _along(columns, x, lambda name: tile(rows[0], name, files[0]).size("x"))
    deep = _along(files, z, lambda name: depth_of(tile(rows[0], columns[0], name)))
    found = Grid(
        path=path,
        rows=Along(names=rows, ends=down),
        columns=Along(names=columns, ends=across),
        depths=Along(names=tuple(ends[name] for name in files), ends=deep),
        first=first,
        voxel=_voxel(store, path, (deep[-1], down[-1], across[-1]))
        or _spaced((files, deep), (rows, down), (columns, across)),
    )
    if sizes and found.shape[-3:] != sizes:
        raise Unreadable(f"{path}: its tiles have {found.shape[-3:]} pixels along z, y and x")
    return found


def depth_of(tile: Image) -> int:
    """How many planes a tile has; raises Unreadable where its axes are others than those of a volume."""
    spare = [name for name in tile.axis_names if name not in "yx" and (name != "c" or tile.kind != "rgb")]
    sizes = [size for size in map(tile.size, spare) if size > 1]
    if len(sizes) > 1:
        raise Unreadable(f"the tile {tile.name} has the axes {tile.axis_names}")
    return sizes[0] if sizes else 1


def _names(store: Store, path: str, pattern: re.Pattern[str], *, folders: bool) -> tuple[str, ...]:
    """The names of a kind in a folder, by the number in them; raises Unreadable where there is none."""
    matches = ((name, pattern.fullmatch(name)) for name, is_folder in store.names(path) if is_folder == folders)
    found = sorted((int(match[1]), name) for name, match in matches if match)
    if not found or len(found) > MOST_TILES:
        raise Unreadable(f"{path}: there are {len(found)} tiles, named after their places, along an axis")
    return tuple(name for _, name in found)


def _along(names: tuple[str, ...], length: int | None, size: Callable[[str], int]) -> Ints:
    """Where each tile ends: all are looked at, unless the first one tells that they are alike."""
    first = size(names[0])
    if length is not None and first * (len(names) - 1) < length <= first * len(names) and _is_long(names):
        return (*(first * (k + 1) for k in range(len(names) - 1)), length)
    return tuple(accumulate((first, *map(size, names[1:]))))


def _is_long(names: tuple[str, ...]) -> bool:
    """Whether looking at every tile would take too long: of planes there are thousands."""
    return len(names) > 64


def _voxel(store: Store, path: str, shape: Ints) -> tuple[float, float, float] | None:
    """What ``mdata.bin`` says, where it tells the shape that the tiles have.

    ``version:4 axes:3*4 sizes along them:3*4 sizes along y, x, z:3*4 origin:3*4 pixels along y, x, z:3*4``
    """
    blob = store.open(joined(path, MDATA)) if store.stat(joined(path, MDATA)) else None
    data = blob.read(0, 64) if blob else b""
    if len(data) < 64 or struct.unpack_from("<f", data)[0] != MDATA_VERSION:
        return None
    y, x, z = (abs(size) for size in struct.unpack_from("<3f", data, 28))
    told = struct.unpack_from("<3I", data, 52)
    if told != (shape[1], shape[2], shape[0]) or not all(isfinite(size) and size > 0 for size in (z, y, x)):
        return None
    return (z, y, x)


def _spaced(*axes: tuple[tuple[str, ...], Ints]) -> tuple[float, float, float] | None:
    """What the places in the names say, where there is more than one tile along each axis."""
    found = []
    for names, ends in axes:
        places = [int(re.findall(r"\d+", name.partition(".")[0])[-1]) for name in names]
        steps = [(b - a) / TENTHS / end for (a, b), end in zip(pairwise(places[:2]), ends, strict=False)]
        found += [step for step in steps if step > 0]
    return (found[0], found[1], found[2]) if len(found) == 3 else None
