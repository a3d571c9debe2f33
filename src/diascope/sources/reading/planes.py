"""One image out of many files, each with one of its planes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.sources.members import Member
from diascope.sources.reading.steady import Steady

Place: TypeAlias = tuple[int, int, int]
"""Along t, c and z."""

CHEAP_CHUNK = 1 << 20
"""How many bytes a chunk has at least, unless the plane is smaller."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planes:
    """The files of an image by their places; of a place without one the pixels are 0: it was not imaged."""

    members: Steady
    files: Mapping[Place, Member]
    sizes: Place
    """How many there are along t, c and z."""

    def first(self) -> Image:
        """The image of the first file; raises Unreadable where it is no plane, or has colours that are no channel."""
        if not self.files:
            raise Unreadable("the image has no planes")
        image = self._image(self.files[min(self.files)])
        if image.kind == "rgb" and self.sizes[1] > 1:
            raise Unreadable("its planes have colours, and there are several channels of them")
        return image

    def image(self, name: str, scale: Mapping[str, float], units: Mapping[str, str], first: Image) -> Image:
        """Of one level; what is not told of distances is as the first file has it, and metadata are the caller's."""
        axes = "".join(axis for axis in "tczyx" if axis in "yx" or self._size(axis, first) > 1)
        own = dict(zip(first.axis_names, zip(first.levels[0].scale, first.axes, strict=True), strict=True))
        told = {**{axis: size for axis, (size, _) in own.items() if axis in "yx"}, **scale}
        known = {**{axis: each.unit for axis, (_, each) in own.items() if axis in "yx" and axis not in scale}, **units}
        return Image(
            name=name,
            kind=first.kind,
            axes=tuple(Axis(axis, known.get(axis)) for axis in axes),
            levels=(self._level(axes, told, first),),
            metadata=replace(first.metadata, extra={}),
        )

    def _size(self, axis: str, first: Image) -> int:
        if axis == "c" and first.kind == "rgb":
            return first.size("c")
        return self.sizes["tcz".index(axis)]

    def _level(self, axes: str, scale: Mapping[str, float], first: Image) -> Level:
        plane = first.levels[0]
        rows, columns = plane.shape[-2:]
        chunk = min(_grown(plane), rows), min(plane.chunk_shape[-1], columns)
        colours = first.size("c") if first.kind == "rgb" else 1
        return Level(
            shape=tuple({"y": rows, "x": columns}.get(axis) or self._size(axis, first) for axis in axes),
            dtype=plane.dtype,
            chunk_shape=tuple({"y": chunk[0], "x": chunk[1], "c": colours}.get(axis, 1) for axis in axes),
            scale=tuple(scale.get(axis, 1.0) for axis in axes),
            translation=(0.0,) * len(axes),
            read_pixels=_Reader(self, axes, first.kind == "rgb", plane).read,
        )

    def plane(self, place: Place) -> Image | None:
        """The image of a file, None where there is none; raises Changed where it is another one than it was."""
        member = self.files.get(place)
        return None if member is None else self._image(member)

    def _image(self, member: Member) -> Image:
        image = self.members.image(member)
        spare = [
            axis for axis, size in zip(image.axis_names, image.shape, strict=True) if axis not in "yx" and size > 1
        ]
        if spare and (image.kind != "rgb" or spare != ["c"]):
            raise Unreadable(f"{member.path}: it has the axes {image.axis_names} where a plane is expected")
        return image


class Leading(NamedTuple):
    """How the planes of an image lie in it."""

    axes: str
    is_rgb: bool
    """Whether its channels are the colours of each plane."""


def by_places(
    leading: Leading, region: Region, dtype: np.dtype[Any], part: Callable[[Place, Region], Pixels | int]
) -> Pixels:
    """The pixels of a region, of which ``part`` reads a box of one plane along colours, y and x."""
    ends = dict.fromkeys("tcz", (0, 1))
    ends |= {axis: (a, b) for axis, a, b in zip(leading.axes, region.start, region.stop, strict=True)}
    colours, channels = (ends["c"], (0, 1)) if leading.is_rgb else ((0, 1), ends["c"])
    box = Region((colours[0], *region.start[-2:]), (colours[1], *region.stop[-2:]))
    ranges = [range(*ends["t"]), range(*channels), range(*ends["z"])]
    parts = np.zeros((*map(len, ranges), *box.shape), dtype)
    for t, c, z in product(*ranges) if 0 not in box.shape else ():
        parts[t - ranges[0].start, c - ranges[1].start, z - ranges[2].start] = part((t, c, z), box)
    # t, channels, z, colours, y, x: one of channels and colours is one long.
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(region.shape)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads regions of the level that the planes make."""

    planes: Planes
    axes: str
    is_rgb: bool
    like: Level

    def read(self, region: Region) -> Pixels:
        return by_places(Leading(self.axes, self.is_rgb), region, self.like.dtype, self._part)

    def _part(self, place: Place, box: Region) -> Pixels | int:
        image = self.planes.plane(place)
        if image is None:
            return 0
        level = image.levels[0]
        if (level.shape, level.dtype) != (self.like.shape, self.like.dtype):
            path = self.planes.files[place].path
            raise Unreadable(
                f"{path}: its {level.shape} pixels of {level.dtype} are unlike the {self.like.shape} of "
                f"{self.like.dtype} of the first plane"
            )
        return _plane_box(level, image.axis_names, box)


def _plane_box(level: Level, axes: str, box: Region) -> Pixels:
    """The pixels of a box along colours, y and x."""
    places = {"c": (box.start[0], box.stop[0]), "y": (box.start[1], box.stop[1]), "x": (box.start[2], box.stop[2])}
    ends = [places.get(axis, (0, 1)) for axis in axes]
    start, stop = tuple(a for a, _ in ends), tuple(b for _, b in ends)
    return level.read(Region(start, stop)).reshape(box.shape)


def _grown(plane: Level) -> int:
    """Rows of whole chunks of the plane, enough to be worth a look-up."""
    rows = max(plane.chunk_shape[-2], 1)
    row: int = plane.chunk_shape[-1] * plane.dtype.itemsize
    return rows * max(CHEAP_CHUNK // max(rows * row, 1), 1)
