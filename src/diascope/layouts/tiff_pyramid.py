"""A stack of planes as an uncompressed tiled TIFF with SubIFDs, in which every byte's place is arithmetic.

The file is::

    header                     8 bytes of classic TIFF, 16 of BigTIFF
    directory of plane 0       with the description as its ImageDescription
    directories of plane 1 …   of equal size: what leads through the planes lies close together at the beginning
    description                and zeros up to a multiple of 8 bytes
    directories of level 1     of plane 0, 1, …; then those of level 2 …
    TileOffsets of level 0     a table for plane 0, 1, …; then those of level 1 …
    TileByteCounts of level 0  the same; tables that an entry has room for are in the directories instead
    zeros                      up to a multiple of 16 bytes
    tiles of level 0           plane 0 row by row, plane 1, …; then those of level 1 …

so that what reads all planes at full resolution reads on and on. The last tiles of a row and the last row of tiles are
filled up with zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from math import prod
from typing import TypeAlias

from diascope.layouts.plane_stack import STEP, PlaneStack
from diascope.layouts.tiff_directory import ASCII, LONG, Entry, Form, Numbers, long, short
from diascope.tree.runs import Run, Runs, concatenated, constant, made

NEW_SUBFILE_TYPE, IMAGE_WIDTH, IMAGE_LENGTH, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
IMAGE_DESCRIPTION, SAMPLES_PER_PIXEL, PLANAR_CONFIGURATION, TILE_WIDTH, TILE_LENGTH = 270, 277, 284, 322, 323
TILE_OFFSETS, TILE_BYTE_COUNTS, SUB_IFDS, EXTRA_SAMPLES, SAMPLE_FORMAT = 324, 325, 330, 338, 339

SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3, "c": 6}
BLACK_IS_ZERO, RGB = 1, 2
COLOURS, UNASSOCIATED_ALPHA = 3, 2
LONG_SIZE = 4

Section: TypeAlias = tuple[str, int]
"""A part of the file, by its name and level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffPyramid:
    """The file of a stack of planes."""

    stack: PlaneStack
    form: Form
    description: bytes
    """Of the whole file, without a zero at its end."""
    tags: tuple[tuple[Entry, ...], ...]
    """What else the directories of each level say."""
    _places: dict[Section, tuple[int, int]] = field(default_factory=dict)
    """Where a section begins and the size of its pieces; known once all lengths are, which depend on no place."""

    def runs(self) -> Runs:
        """The bytes of the file."""
        sections = self._sections()
        starts = accumulate((run.length for run in sections.values()), initial=0)
        places = zip(starts, (run.size for run in sections.values()), strict=False)
        self._places.update(zip(sections, places, strict=True))
        return concatenated(list(sections.values()))

    def _sections(self) -> dict[Section, Run]:
        planes, levels = self.stack.planes, range(len(self.stack.levels))
        description = self.description + b"\0"
        sections = {
            ("header", 0): constant(self.form.header()),
            ("first directory", 0): self._directories(0, 0, 1),
            ("directories", 0): self._directories(0, 1, planes),
            ("description", 0): constant(description + bytes(-len(description) % 8)),
        }
        sections |= {("directories", k): self._directories(k, 0, planes) for k in levels[1:]}
        sections |= {("offsets", k): self._run(self._offsets(k)) for k in levels}
        sections |= {("sizes", k): self._run(self._sizes(k)) for k in levels}
        sections["padding", 0] = constant(bytes(-sum(run.length for run in sections.values()) % STEP))
        return sections | {("tiles", k): self._tiles(k) for k in levels}

    def _directories(self, level: int, start: int, stop: int) -> Run:
        """The directories of a level of the planes from start to stop."""
        size = len(self._directory(level, start)) if start < stop else 0
        return made(stop - start, size, lambda piece: self._directory(level, start + piece))

    def _tiles(self, level: int) -> Run:
        return Run(
            self.stack.planes * self._tile_count(level), self.stack.tile_size(level), partial(self.stack.tile, level)
        )

    def _offsets(self, level: int) -> Numbers:
        tile_size = self.stack.tile_size(level)
        plane_size = self._tile_count(level) * tile_size
        return Numbers(
            self._tile_count(level),
            self.form.word,
            first=lambda plane: self._place("tiles", level) + plane * plane_size,
            step=tile_size,
        )

    def _sizes(self, level: int) -> Numbers:
        tile_size = self.stack.tile_size(level)
        return Numbers(self._tile_count(level), LONG_SIZE, first=lambda _: tile_size, step=0)

    def _run(self, numbers: Numbers) -> Run:
        """The numbers of each plane, nothing where its directory has room for them."""
        return numbers.run(self.stack.planes if numbers.size > self.form.word else 0)

    def _tile_count(self, level: int) -> int:
        """Of a plane."""
        return prod(self.stack.grid(level))

    def _place(self, name: str, level: int, piece: int = 0) -> int:
        start, size = self._places.get((name, level), (0, 0))
        return start + piece * size

    def _directory_place(self, level: int, plane: int) -> int:
        if level > 0:
            return self._place("directories", level, plane)
        return self._place("directories", 0, plane - 1) if plane else self._place("first directory", 0)

    def _directory(self, level: int, plane: int) -> bytes:
        height, width = self.stack.levels[level].shape[-2:]
        tile_height, tile_width = self.stack.tile_shapes[level]
        entries = [
            long(NEW_SUBFILE_TYPE, int(level > 0)),
            long(IMAGE_WIDTH, width),
            long(IMAGE_LENGTH, height),
            short(COMPRESSION, 1),
            *_sample_tags(self.stack),
            short(PLANAR_CONFIGURATION, 1),
            long(TILE_WIDTH, tile_width),
            long(TILE_LENGTH, tile_height),
            *self._tile_tags(level, plane),
            *self.tags[level],
        ]
        if level > 0:
            return self.form.directory(entries, self._directory_place(level, plane), following=0)
        if len(self.stack.levels) > 1:
            coarser = [self._directory_place(k, plane) for k in range(1, len(self.stack.levels))]
            entries.append(self.form.offsets(SUB_IFDS, self.form.directory_type, coarser))
        if plane == 0:
            place = self._place("description", 0)
            entries.append(Entry(IMAGE_DESCRIPTION, ASCII, len(self.description) + 1, at=place))
        following = self._directory_place(0, plane + 1) if plane + 1 < self.stack.planes else 0
        return self.form.directory(entries, self._directory_place(0, plane), following)

    def _tile_tags(self, level: int, plane: int) -> list[Entry]:
        tables = [self._place(name, level, plane) for name in ("offsets", "sizes")]
        return [
            self._numbers_tag(TILE_OFFSETS, self.form.offset_type, self._offsets(level), tables[0], plane),
            self._numbers_tag(TILE_BYTE_COUNTS, LONG, self._sizes(level), tables[1], plane),
        ]

    def _numbers_tag(self, tag: int, type_: int, numbers: Numbers, table: int, plane: int) -> Entry:
        """The numbers of a plane: in the entry where it has room for them, else in the plane's table."""
        if numbers.size > self.form.word:
            return Entry(tag, type_, numbers.count, at=table)
        return Entry(tag, type_, numbers.count, numbers.read(plane, 0, numbers.size))


def _sample_tags(stack: PlaneStack) -> list[Entry]:
    samples = stack.samples
    entries = [
        short(BITS_PER_SAMPLE, *(8 * stack.dtype.itemsize,) * samples),
        short(PHOTOMETRIC, RGB if samples > 1 else BLACK_IS_ZERO),
        short(SAMPLES_PER_PIXEL, samples),
        short(SAMPLE_FORMAT, *(SAMPLE_FORMATS[stack.dtype.kind],) * samples),
    ]
    return [*entries, short(EXTRA_SAMPLES, UNASSOCIATED_ALPHA)] if samples > COLOURS else entries
