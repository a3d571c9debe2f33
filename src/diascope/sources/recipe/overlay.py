"""Labels in colours on a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diascope.image.axes import ORDER, Axis
from diascope.image.image import Image
from diascope.image.label_colours import label_colours
from diascope.image.level import Level, Pixels
from diascope.image.pyramid import with_pyramid
from diascope.image.region import Region
from diascope.sources.recipe.joined import place_of
from diascope.sources.recipe.model import Overlay
from diascope.sources.recipe.parts import Parts, on_grid
from diascope.sources.recipe.planned import Planned

Colours = Mapping[int, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one level: red, green, blue, and the picture's opacity where it has one."""

    picture: Level
    labels: Level
    at: int
    """Where the axis of colours stands in the result."""
    has_colours: bool
    """Whether the picture has that axis."""
    shared: tuple[int, ...]
    """Which of the picture's axes the labels have."""
    opacity: float
    colours: Colours

    def read(self, region: Region) -> Pixels:
        """Where there is a label the mean of the picture and its colour, rounded half upwards."""
        labels = self._labels(region)
        shown = coloured(labels, self.colours)[..., region.start[self.at] : region.stop[self.at]]
        shown = np.moveaxis(shown, -1, self.at)
        picture = self._picture(region)
        if 0 in region.shape:
            return picture
        first = min(region.start[self.at], 3)
        count = min(region.stop[self.at], 3) - first
        out = picture.copy()
        inside = (slice(None),) * self.at + (slice(0, count),)
        mixed = np.floor(picture[inside] * (1 - self.opacity) + shown[inside] * self.opacity + 0.5).astype(np.uint8)
        out[inside] = np.where(np.expand_dims(labels != 0, self.at), mixed, picture[inside])
        return out

    def _picture(self, region: Region) -> Pixels:
        if self.has_colours:
            return self.picture.read(region)
        grey = np.expand_dims(self.picture.read(self._without(region)), self.at)
        return grey.repeat(region.stop[self.at] - region.start[self.at], axis=self.at)

    def _without(self, region: Region) -> Region:
        start, stop = region.start, region.stop
        return Region(start[: self.at] + start[self.at + 1 :], stop[: self.at] + stop[self.at + 1 :])

    def _labels(self, region: Region) -> Pixels:
        """Along the picture's axes but that of colours, one long where the labels lack one."""
        inner = self._without(region)
        own = Region(tuple(inner.start[d] for d in self.shared), tuple(inner.stop[d] for d in self.shared))
        pixels = self.labels.read(own)
        shape = [n if d in self.shared else 1 for d, n in enumerate(inner.shape)]
        return np.broadcast_to(pixels.reshape(shape), inner.shape)


def coloured(labels: Pixels, colours: Colours) -> NDArray[np.uint8]:
    """The colours of labels as a further last axis."""
    shown = label_colours(np.ascontiguousarray(labels).view(f"u{labels.dtype.itemsize}"))
    for number, colour in colours.items():
        shown[labels == number] = colour
    return shown


def overlay(recipe: Overlay, parts: Parts) -> Image:
    """The picture as RGB, with the labels on it."""
    part, other = parts.known.plan.parts
    picture, labels = _picture(parts, part), _labels(parts, other)
    names = [axis.name for axis in picture.axes if axis.name != "c"]
    extra = [axis.name for axis in labels.axes if axis.name not in names]
    if extra:
        raise parts.wrong(other, f"the labels have an axis {extra[0]}, which the picture lacks")
    shared = tuple(d for d, name in enumerate(names) if name in labels.axis_names)
    at, has_colours = place_of("c", "".join(names)), "c" in picture.axis_names
    colours = {int(label): np.frombuffer(bytes.fromhex(told), np.uint8) for label, told in recipe.colours.items()}
    count = picture.size("c") if has_colours else 3

    def level(own: Level) -> Level:
        def put(values: tuple[float, ...], value: float) -> tuple[float, ...]:
            return (*values[:at], value, *values[at + has_colours :])

        grid = _grid_for(labels, own, picture.axis_names)
        reader = Reader(own, _on(labels, grid), at, has_colours, shared, recipe.opacity, colours)
        return replace(
            own,
            shape=(*own.shape[:at], count, *own.shape[at + has_colours :]),
            chunk_shape=(*own.chunk_shape[:at], count, *own.chunk_shape[at + has_colours :]),
            scale=put(own.scale, 1.0),
            translation=put(own.translation, 0.0),
            read_pixels=reader.read,
            cost=own.cost + grid.cost,
        )

    axes = tuple(
        Axis("c") if name == "c" else next(axis for axis in picture.axes if axis.name == name)
        for name in ORDER
        if name == "c" or name in names
    )
    return replace(picture, kind="rgb", axes=axes, channels=(), levels=tuple(map(level, picture.levels)))


def _picture(parts: Parts, part: Planned) -> Image:
    image = parts.raw(part)
    is_grey = image.kind == "intensity" and "c" not in image.axis_names
    if image.dtype != np.uint8 or not (is_grey or image.kind == "rgb") or image.metadata.palette:
        raise parts.wrong(
            part,
            f"labels lie on a picture of 8-bit grey or RGB, and this is {image.kind} of {image.dtype} with the axes "
            f"{image.axis_names!r}: give it a view such as `render` or `autocontrast`",
        )
    return image


def _labels(parts: Parts, part: Planned) -> Image:
    """The image as labels; where it was opened as intensities, coarse levels are made anew."""
    image = parts.raw(part)
    if image.dtype.kind not in "iu" or "c" in image.axis_names:
        raise parts.wrong(part, f"{image.kind} of {image.dtype} with the axes {image.axis_names!r} are no labels")
    if image.kind == "labels":
        return image
    return with_pyramid(replace(image, kind="labels", levels=image.levels[:1], channels=()))


def _grid_for(labels: Image, like: Level, names: str) -> Level:
    """The pixels of a picture's level along the axes that the labels have."""
    at = [names.index(axis.name) for axis in labels.axes]
    own = labels.levels[0]
    return replace(
        own,
        shape=tuple(like.shape[d] for d in at),
        scale=tuple(like.scale[d] for d in at),
        translation=tuple(like.translation[d] for d in at),
    )


def _on(labels: Image, grid: Level) -> Level:
    """Their own level where it has these pixels, else the nearest ones by position."""

    def same(level: Level) -> bool:
        apart = np.abs(np.subtract(level.translation, grid.translation)) <= 1e-6 * np.array(grid.scale)
        return level.shape == grid.shape and bool(apart.all() and np.allclose(level.scale, grid.scale, rtol=1e-6))

    return next((level for level in labels.levels if same(level)), None) or on_grid(labels, grid)
