"""The levels of a stack, made of the tiles of its ETS file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import TypeAlias

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region
from diascope.sources.cellsens.ets import Ets
from diascope.sources.cellsens.stack import Stack

UNTOLD = {2: "c", 3: "t", 4: "z"}
"""What the dimensions are where the properties do not tell."""

Size: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """All the levels; raises Unreadable where it is not known what a dimension is."""

    file: Ets
    stack: Stack
    axis_of: dict[int, str] = field(init=False)
    """The axis of each place of a tile behind x and y."""
    sizes: dict[str, int] = field(init=False)
    """The length of those axes."""

    def __post_init__(self) -> None:
        extent = self.file.extent
        behind = range(2, len(extent) - 1 if self.file.has_levels else len(extent))
        told = {k + 2: axis for k, axis in self.stack.dimensions.items() if k + 2 in behind} or UNTOLD
        unknown = [k for k in behind if extent[k] > 1 and k not in told]
        if unknown:
            raise Unreadable(f"it does not tell what its dimensions {unknown} are")
        object.__setattr__(self, "axis_of", {k: told[k] for k in behind if k in told})
        object.__setattr__(self, "sizes", {axis: extent[k] for k, axis in self.axis_of.items()})
        if self.is_rgb and self.sizes.get("c", 1) > 1:
            raise Unreadable("colour pictures of several channels are not supported")

    @property
    def is_rgb(self) -> bool:
        return self.file.samples > 1

    @property
    def axes(self) -> str:
        needed = {axis for axis, size in self.sizes.items() if size > 1} | ({"c"} if self.is_rgb else set())
        return "".join(axis for axis in "tczyx" if axis in "yx" or axis in needed)

    def levels(self) -> tuple[Level, ...]:
        """Each half as large as the one before, odd sizes rounded up where there are tiles for it."""
        size, found = self._finest(), []
        for k in range(self.file.levels):
            limit = self._limit(k)
            size = (min(size[0], limit[0]), min(size[1], limit[1])) if self._nearly(size, limit) else size
            if size[0] > limit[0] or size[1] > limit[1]:
                break
            found.append(self._level(k, size))
            size = (-(-size[0] // 2), -(-size[1] // 2))
        if not found:
            raise Unreadable("its tiles do not cover the image")
        return tuple(found)

    def _limit(self, level: int) -> Size:
        """The rows and columns of all the tiles of a level."""
        rows, columns = self.file.tiles(level)
        return rows * self.file.tile[0], columns * self.file.tile[1]

    @staticmethod
    def _nearly(size: Size, limit: Size) -> bool:
        """Whether tiles that lack a pixel were written for a size that was rounded down."""
        return all(limit > 1 and side <= limit + 1 for side, limit in zip(size, limit, strict=True))

    def _finest(self) -> Size:
        """As the properties tell, all of the tiles where that cannot be."""
        told, limit = self.stack.size, self._limit(0)
        return told if told and told[0] <= limit[0] and told[1] <= limit[1] else limit

    def _level(self, number: int, size: Size) -> Level:
        spacing = [self.stack.spacing.get(axis, 1.0) for axis in self.axes]
        factors = [1 << number if axis in "yx" else 1 for axis in self.axes]
        height, width = self.file.tile
        sizes = {**self.sizes, "y": size[0], "x": size[1]}
        chunk = {"y": min(height, size[0]), "x": min(width, size[1])}
        if self.is_rgb:
            sizes["c"] = chunk["c"] = self.file.samples
        return Level(
            shape=tuple(sizes[axis] for axis in self.axes),
            dtype=self.file.dtype.newbyteorder("="),
            chunk_shape=tuple(chunk.get(axis, 1) for axis in self.axes),
            scale=tuple(step * factor for step, factor in zip(spacing, factors, strict=True)),
            translation=tuple((factor - 1) / 2 * step for step, factor in zip(spacing, factors, strict=True)),
            read_pixels=partial(self._read, number),
        )

    def _read(self, level: int, region: Region) -> Pixels:
        ends = dict(zip(self.axes, zip(region.start, region.stop, strict=True), strict=True))
        colours = slice(*ends.pop("c")) if self.is_rgb else slice(0, 1)
        outer = [range(*ends.get(axis, (0, 1))) for axis in "tcz"]
        window = (slice(*ends["y"]), slice(*ends["x"]))
        planes = list(product(*outer))
        shape = (window[0].stop - window[0].start, window[1].stop - window[1].start, self.file.samples)
        places = [self._place(dict(zip("tcz", plane, strict=True)), level) for plane in planes]
        if len(places) == 1 and (within := self._within_tile(places[0], window)) is not None:
            out = within[np.newaxis]
        else:
            out = np.empty((len(planes), *shape), self.file.dtype.newbyteorder("="))
            for part, place in zip(out, places, strict=True):
                self._draw(part, place, window)
        full = out.reshape(*map(len, outer), *shape)
        pixels = np.moveaxis(full[:, 0, ..., colours], -1, 1) if self.is_rgb else full[..., 0]
        return pixels[tuple(slice(None) if axis in self.axes else 0 for axis in "tczyx")]

    def _place(self, plane: dict[str, int], level: int) -> Ints:
        """Of the first tile of a plane."""
        place = [plane.get(self.axis_of.get(k, ""), 0) for k in range(len(self.file.extent))]
        return (*place[:-1], level) if self.file.has_levels else tuple(place)

    def _within_tile(self, place: Ints, window: tuple[slice, ...]) -> Pixels | None:
        """Rows and columns as the one tile has them in which they lie, None where they lie in several or none."""
        touched = list(product(*map(_touched, window, self.file.tile)))
        if len(touched) != 1:
            return None
        row, column = touched[0]
        inside = (_moved(part, -k * side) for part, k, side in zip(window, touched[0], self.file.tile, strict=True))
        return self.file.pixels((column, row, *place[2:]))[tuple(inside)]

    def _draw(self, out: Pixels, place: Ints, window: tuple[slice, slice]) -> None:
        """Copy what the tiles of a plane have of these rows and columns."""
        if not out.size:
            return
        tile = self.file.tile
        for row, column in product(*map(_touched, window, tile)):
            pixels = self.file.pixels((column, row, *place[2:]))
            corner = (row * tile[0], column * tile[1])
            shared = [
                slice(max(part.start, first), min(part.stop, first + side))
                for part, first, side in zip(window, corner, tile, strict=True)
            ]
            target = tuple(_moved(both, -part.start) for both, part in zip(shared, window, strict=True))
            out[target] = pixels[tuple(_moved(both, -first) for both, first in zip(shared, corner, strict=True))]


def _touched(part: slice, side: int) -> range:
    """The numbers of the tiles along one side."""
    return range(part.start // side, -(-part.stop // side))


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
