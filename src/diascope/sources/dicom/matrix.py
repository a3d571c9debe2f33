"""The pixels that the tiles of one or several files make together (DICOM PS3.3, C.7.6.17 and C.8.12.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region, touched
from diascope.sources.dicom.colours import lab_colour
from diascope.sources.dicom.frames import Frames
from diascope.sources.dicom.values import integer, items, number, numbers, text, within

MICROMETRES = 1000.0
"""A millimetre."""

LARGEST_SIDE = 1 << 31

PLACE, ROW, COLUMN = 0x0048021A, 0x0048021F, 0x0048021E
"""Plane Position (Slide) Sequence, and in it the row and the column in the total pixel matrix."""
OPTICAL_PATH, SEGMENT = 0x00480207, 0x0062000A
"""Optical Path and Segment Identification Sequence."""


class Tile(NamedTuple):
    """A frame and where its first pixel lies."""

    top: int
    left: int
    frames: Frames
    frame: int


Tiles = Callable[[Ints], Iterable[Tile]]
"""Those that touch a cell of the grid of tiles, given by its row and column; the last lies above the others."""


@dataclass(eq=False)
class Matrix:
    """One level: its size, and its tiles by optical path and by focal plane in micrometres."""

    rows: int
    columns: int
    tile: Ints
    first: Frames
    parts: Sequence[Frames]
    planes: dict[tuple[str, float], list[Tiles]] = field(default_factory=dict)

    def read(self, path: str, depth: float, region: Region) -> Pixels:
        """Rows, columns and, of colours, samples of a region; where there is no tile it is the colour of the slide."""
        tiles = list(self._touching(self.planes.get((path, depth), []), region))
        if len(tiles) == 1 and self._box(tiles[0]).intersection(region) == region:
            return self._part(tiles[0], region)
        found = self.first.stored
        out = np.empty((*region.shape, found.samples)[: len(found.shape)], found.dtype)
        out[:] = self.background
        for each in tiles:
            both = self._box(each).intersection(region)
            if 0 not in both.shape:
                out[both.shifted(region.start).slices] = self._part(each, both)
        return out

    @cached_property
    def background(self) -> Any:
        return background(self.first)

    def _box(self, tile: Tile) -> Region:
        return Region((tile.top, tile.left), (tile.top + self.tile[0], tile.left + self.tile[1]))

    def _part(self, tile: Tile, region: Region) -> Pixels:
        """The pixels of a region inside a tile; raises Unreadable where the writer has cut them off."""
        rows, columns = region.shifted((tile.top, tile.left)).slices
        pixels = tile.frames.read(tile.frame, rows)[:, columns]
        if pixels.shape[:2] != region.shape:
            raise Unreadable(f"the tile at row {tile.top}, column {tile.left} is cut where the slide has pixels")
        return pixels

    def _touching(self, sources: Sequence[Tiles], region: Region) -> Iterator[Tile]:
        seen = set()
        for cell in touched(region, self.tile):
            for tiles in sources:
                for each in tiles(cell):
                    key = (id(each.frames), each.frame)
                    if key not in seen:
                        seen.add(key)
                        yield each


def matrix_size(frames: Frames) -> tuple[int, int]:
    """Rows and columns of the whole matrix, those of a frame where it has no other."""
    data = frames.file.data
    rows, columns = integer(data, "TotalPixelMatrixRows"), integer(data, "TotalPixelMatrixColumns")
    if rows < 1 or columns < 1:
        rows, columns = frames.stored.rows, frames.stored.columns
    if max(rows, columns) > LARGEST_SIDE:
        raise Unreadable(f"a matrix of {columns} by {rows} pixels cannot be")
    return rows, columns


def matrix(parts: Sequence[Frames]) -> Matrix:
    """Of files that are parts of one level: of a concatenation, or of different paths and planes."""
    first = parts[0]
    rows, columns = matrix_size(first)
    made = Matrix(rows, columns, (first.stored.rows, first.stored.columns), first, parts)
    for frames in parts:
        if is_sparse(frames):
            _add_sparse(made, frames)
        else:
            _add_full(made, frames)
    return made


def is_sparse(frames: Frames) -> bool:
    """Whether each frame tells its place."""
    if text(frames.file.data, "DimensionOrganizationType") == "TILED_FULL":
        return False
    each = items(frames.file.data, "PerFrameFunctionalGroupsSequence")
    return bool(each) and all(_place(frame) is not None for frame in each[:1])


def _place(frame: Any) -> tuple[int, int, float] | None:
    """Row and column of its first pixel from 0 on, and its focal plane in micrometres."""
    # Slides have a hundred thousand frames: elements are looked up by number, and once.
    found = frame.get(PLACE)
    place = found.value[0] if found is not None and found.value else None
    row, column = (place.get(tag) for tag in (ROW, COLUMN)) if place is not None else (None, None)
    if row is None or column is None or not all(isinstance(each.value, int) for each in (row, column)):
        return None
    return row.value - 1, column.value - 1, round(number(place, "ZOffsetInSlideCoordinateSystem") or 0.0, 6)


def _add_sparse(made: Matrix, frames: Frames) -> None:
    cells: dict[tuple[str, float], dict[Ints, list[Tile]]] = defaultdict(lambda: defaultdict(list))
    groups = items(frames.file.data, "PerFrameFunctionalGroupsSequence")
    path = path_of(None, within(frames.file.data, "SharedFunctionalGroupsSequence"), frames)
    for k, group in enumerate(groups[: frames.stored.frames]):
        place = _place(group)
        if place is None:
            raise Unreadable(f"frame {k} does not tell its place")
        top, left, depth = place
        box = Region((top, left), (top + made.tile[0], left + made.tile[1])).clipped((made.rows, made.columns))
        grid = cells[_own_path(group) or path, depth]
        for cell in touched(box, made.tile):
            grid[cell].append(Tile(top, left, frames, k))
    for key, grid in cells.items():
        made.planes.setdefault(key, []).append(partial(_listed, dict(grid)))


def _listed(grid: dict[Ints, list[Tile]], cell: Ints) -> list[Tile]:
    return grid.get(cell, [])


def path_of(group: Any, shared: Any, frames: Frames) -> str:
    """The identifier of a frame's optical path; of a segmentation its segment's number."""
    for holder in (group, shared):
        if holder is not None and (own := _own_path(holder)):
            return own
    return (paths(frames) or [""])[0]


def _own_path(group: Any) -> str:
    """The same where the group itself tells it, else empty."""
    if (named := group.get(OPTICAL_PATH)) is not None and named.value:
        return text(named.value[0], "OpticalPathIdentifier")
    if (segment := group.get(SEGMENT)) is not None and segment.value:
        return str(integer(segment.value[0], "ReferencedSegmentNumber"))
    return ""


def paths(frames: Frames) -> list[str]:
    """The identifiers of a file's optical paths."""
    return [text(path, "OpticalPathIdentifier") for path in items(frames.file.data, "OpticalPathSequence")]


def _add_full(made: Matrix, frames: Frames) -> None:
    """Frames in the order of columns, rows, planes and paths (C.7.6.17.3), in a concatenation from a later one on."""
    grid = (-(-made.rows // made.tile[0]), -(-made.columns // made.tile[1]))
    depths = _depths(frames)
    first = integer(frames.file.data, "ConcatenationFrameOffsetNumber")
    for number_of_path, path in enumerate(paths(frames) or [""]):
        for k, depth in enumerate(depths):
            before = (number_of_path * len(depths) + k) * grid[0] * grid[1] - first
            if before < frames.stored.frames and before + grid[0] * grid[1] > 0:
                tiles = partial(_counted, frames, grid, made.tile, before)
                made.planes.setdefault((path, depth), []).append(tiles)


def _counted(frames: Frames, grid: Ints, tile: Ints, before: int, cell: Ints) -> list[Tile]:
    index = before + cell[0] * grid[1] + cell[1]
    return [Tile(cell[0] * tile[0], cell[1] * tile[1], frames, index)] if 0 <= index < frames.stored.frames else []


def _depths(frames: Frames) -> list[float]:
    """Of the focal planes, in micrometres."""
    data = frames.file.data
    shared = within(data, "SharedFunctionalGroupsSequence")
    origin = within(data, "TotalPixelMatrixOriginSequence")
    measures = within(shared, "PixelMeasuresSequence") if shared is not None else None
    place = within(shared, "PlanePositionSlideSequence") if shared is not None else None
    start = number(place, "ZOffsetInSlideCoordinateSystem") if place is not None else None
    if start is None:
        start = number(origin, "ZOffsetInSlideCoordinateSystem") if origin is not None else None
    step = (number(measures, "SpacingBetweenSlices") if measures is not None else None) or 1 / MICROMETRES
    count = max(integer(data, "TotalPixelMatrixFocalPlanes", 1), 1)
    return [round((start or 0.0) + k * step * MICROMETRES, 6) for k in range(min(count, frames.stored.frames))]


def spacing(frames: Frames) -> tuple[float, float] | None:
    """The distance of rows and of columns in micrometres."""
    shared = within(frames.file.data, "SharedFunctionalGroupsSequence")
    measures = within(shared, "PixelMeasuresSequence") if shared is not None else None
    found = numbers(measures, "PixelSpacing", 2) if measures is not None else ()
    if not found:
        rows, columns = matrix_size(frames)
        sizes = [number(frames.file.data, word) or 0.0 for word in ("ImagedVolumeHeight", "ImagedVolumeWidth")]
        found = (sizes[0] / rows, sizes[1] / columns)
    return (found[0] * MICROMETRES, found[1] * MICROMETRES) if min(found) > 0 else None


def background(frames: Frames) -> Any:
    """The colour where nothing was scanned: the file's, else white among colours and 0 else."""
    found = frames.stored
    if found.samples == 1 or found.dtype.kind != "u":
        return 0
    colour = lab_colour(numbers(frames.file.data, "RecommendedAbsentPixelCIELabValue", 3)) or "ffffff"
    scale = np.iinfo(found.dtype).max // 255
    return np.array([level * scale for level in bytes.fromhex(colour)], found.dtype)
