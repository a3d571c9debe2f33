"""The scales of a Neuroglancer precomputed volume: grids, resolutions and places of an image's levels, as x, y, z."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from diascope.image.grid import served_chunk_shape
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.region import Ints
from diascope.image.units import ratio

T = TypeVar("T")

LONGEST = 41
"""Characters of the spelling of a chunk along an axis: two numbers of 20 and a hyphen."""

EXACT = 2**24
"""Up to here the single precision that Neuroglancer keeps offsets in holds every integer."""
NEAR = 0.01
"""How far from a whole voxel a place may be and yet be called whole."""
NANOMETRES = 1e6
"""In a millimetre."""


class Span(NamedTuple):
    """Voxels from start to stop along an axis, counted from the first."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Spans(Sequence[str]):
    """The spellings ``start-stop`` of the chunks along an axis, the last one ending with the volume."""

    size: int
    chunk: int
    offset: int

    def __len__(self) -> int:
        return len(range(0, self.size, self.chunk))

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[k] for k in range(len(self))[index]]
        start = range(0, self.size, self.chunk)[index]
        return f"{self.offset + start}-{self.offset + min(start + self.chunk, self.size)}"

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self.span(text) is not None

    def span(self, text: str) -> Span | None:
        """The voxels that a spelling names, None where it is not the canonical one of a chunk."""
        return _span(self, text) if len(text) <= LONGEST else None


@lru_cache(maxsize=1 << 14)
def _span(spans: Spans, text: str) -> Span | None:
    number = text[: text.find("-", 1)]
    if not number.removeprefix("-").isdecimal():
        return None
    start = int(number) - spans.offset
    if not 0 <= start < spans.size or start % spans.chunk or spans[start // spans.chunk] != text:
        return None
    return Span(start, min(start + spans.chunk, spans.size))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """One level as a volume of x, y and z."""

    level: Level
    size: Ints
    chunk_size: Ints
    resolution: tuple[float, ...]
    """Nanometres."""
    offset: Ints
    """Of the first voxel's lower corner, in voxels."""

    def spans(self, axis: int) -> Spans:
        """The chunks along x, y or z."""
        return Spans(self.size[axis], self.chunk_size[axis], self.offset[axis])


def scales(image: Image, longest: int | None = None) -> tuple[Scale, ...]:
    """The levels, each no finer along any axis than the one before it; others are left out.

    A chunk has at most ``longest`` columns, and rows on all its planes together.
    """
    resolutions = [resolution(image, level) for level in image.levels]
    kept: list[int] = []
    for k, each in enumerate(resolutions):
        if not kept or all(a >= b for a, b in zip(each, resolutions[kept[-1]], strict=True)):
            kept.append(k)
    levels = [image.levels[k] for k in kept]
    fine = [resolutions[k] for k in kept]
    offsets = _offsets([_positions(image, level) for level in levels], fine)
    return tuple(
        Scale(
            level=level,
            size=_xyz(image, level.shape, 1),
            chunk_size=_chunk_size(image, level, longest),
            resolution=size,
            offset=offset,
        )
        for level, size, offset in zip(levels, fine, offsets, strict=True)
    )


def _xyz(image: Image, values: Sequence[T], missing: T) -> tuple[T, T, T]:
    """The values along x, y and z."""
    named = dict(zip(image.axis_names, values, strict=True))
    return named["x"], named["y"], named.get("z", missing)


def _chunk_size(image: Image, level: Level, longest: int | None) -> Ints:
    x, y, z = _xyz(image, served_chunk_shape(image.axes, level, image.size("c")), 1)
    if longest is None:
        return x, y, z
    while y * z > longest:
        y, z = (y, -(-z // 2)) if z > 1 else (-(-y // 2), z)
    return min(x, longest), y, z


def _nanometres(image: Image) -> tuple[float, ...]:
    """In a unit along x, y and z; an axis without a unit is taken to be in nanometres."""
    return _xyz(image, [ratio(a.unit, "nanometer") if a.unit and a.name in "xyz" else 1.0 for a in image.axes], 1.0)


def resolution(image: Image, level: Level) -> tuple[float, ...]:
    """Nanometres between voxels along x, y and z; a single plane is as thick as level 0's pixels are wide."""
    units = _nanometres(image)
    width = image.levels[0].scale[-1]
    sizes = (abs(s * unit) for s, unit in zip(_xyz(image, level.scale, width * units[0]), units, strict=True))
    # Twelve digits: 0.1 µm is 100 nm and no more.
    return tuple(float(f"{size:.12g}") if size and isfinite(size) else 1.0 for size in sizes)


def _positions(image: Image, level: Level) -> tuple[float, ...]:
    """Nanometres from the origin to the centre of the first voxel along x, y and z."""
    places = zip(_xyz(image, level.translation, 0.0), _nanometres(image), strict=True)
    return tuple(place * unit if isfinite(place) else 0.0 for place, unit in places)


def _offsets(positions: list[tuple[float, ...]], sizes: list[tuple[float, ...]]) -> list[Ints]:
    """Voxels from the origin to the first corner at each level along x, y and z.

    The origin is a whole number of voxels away from the finest level's first corner where that makes every level
    lie on whole voxels; elsewhere it is that corner itself, and the coarser levels lie at the nearest voxel.
    """
    return list(
        zip(
            *(_along([p[d] for p in positions], [s[d] for s in sizes]) for d in range(3)),
            strict=True,
        )
    )


def _along(positions: list[float], sizes: list[float]) -> list[int]:
    # The centre of voxel i lies at (i + 1/2) · size, that of the finest level's voxel 0 at half its size.
    corners = [at + (sizes[0] - size) / 2 for at, size in zip(positions, sizes, strict=True)]
    absolute = [corner / size for corner, size in zip(corners, sizes, strict=True)]
    if all(abs(place - round(place)) < NEAR and abs(place) < EXACT for place in absolute):
        return [round(place) for place in absolute]
    return [round((corner - corners[0]) / size) for corner, size in zip(corners, sizes, strict=True)]


def transform(image: Image, finest: Scale) -> NDArray[np.float64] | None:
    """Four by four: from positions in the volume to the world, both in nanometres, None where that is well known.

    Without a world it leads to the image's own physical positions, and is needed only where an offset in whole
    voxels cannot tell them. Positions in the volume are of corners, positions in the world of centres of voxels.
    """
    half = [(offset + 0.5) * size for offset, size in zip(finest.offset, finest.resolution, strict=True)]
    shift = np.subtract(_positions(image, finest.level), half)
    out = np.eye(4)
    if image.world is None:
        out[:3, 3] = shift
        told = np.abs(shift / finest.resolution + 0.5) < NEAR
        return None if told.all() else out
    to_world = image.world.array
    out[:3, :3] = to_world[:3, :3] / np.array(_nanometres(image)) * NANOMETRES
    out[:3, 3] = to_world[:3, 3] * NANOMETRES + out[:3, :3] @ shift
    return out
