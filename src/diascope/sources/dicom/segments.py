"""Segmentations: labels, or fractions, by the frames of each segment (DICOM PS3.3, A.51 and C.8.20.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.sources.dicom.colours import lab_colour
from diascope.sources.dicom.frames import Frames
from diascope.sources.dicom.matrix import path_of
from diascope.sources.dicom.slices import Slice, slices
from diascope.sources.dicom.slide import Pyramid, pyramids, slide
from diascope.sources.dicom.stacks import EVEN, SAME, Stack, stacks
from diascope.sources.dicom.values import integer, items, number, numbers, text, within
from diascope.sources.dicom.volume import volume
from diascope.sources.reading.names.safe_names import safe_names

LARGEST = 10_000
"""A segmentation has at most so many slices, stored or empty ones between them."""


class Segment(NamedTuple):
    number: int
    name: str
    colour: str | None


ReadSegment = Callable[[int, int, Region], Pixels]
"""The pixels of a segment, by its number and a plane's, and of rows and columns; zeros where it has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """All segments on one grid."""

    like: Image
    """One that has the same axes, sizes and geometry as each of them."""
    read: ReadSegment


def segmentation(name: str, frames: Frames) -> dict[str, Image]:
    """One label map, whose values are the segments' numbers, where segments do not overlap; else an image of each.

    Fractions are intensities from 0 to 1, an image of each segment.
    """
    kind = text(frames.file.data, "SegmentationType")
    if kind == "LABELMAP":
        return _maps(name, frames)
    segments = _segments(frames)
    found = _tiled(name, frames) if "TotalPixelMatrixColumns" in frames.file.data else _volume(name, frames)
    if kind == "FRACTIONAL":
        names = safe_names(segment.name for segment in segments) if len(segments) > 1 else [name]
        return {n: _fraction(n, found, each, frames) for n, each in zip(names, segments, strict=True)}
    if len(segments) == 1 or text(frames.file.data, "SegmentsOverlap") == "NO":
        return {name: _labels(name, found, segments)}
    names = safe_names(segment.name for segment in segments)
    return {n: _labels(n, found, [each]) for n, each in zip(names, segments, strict=True)}


def is_segmentation(frames: Frames) -> bool:
    return text(frames.file.data, "Modality") == "SEG"


def _segments(frames: Frames) -> list[Segment]:
    told = items(frames.file.data, "SegmentSequence")
    found = [_segment(each, k) for k, each in enumerate(told)]
    return list({each.number: each for each in found}.values()) or [Segment(1, "segment", None)]


def _segment(told: Any, k: int) -> Segment:
    numbered = integer(told, "SegmentNumber", k + 1)
    if not 0 < numbered < 1 << 16:
        raise Unreadable(f"a segment has the number {numbered}")
    colour = lab_colour(numbers(told, "RecommendedDisplayCIELabValue", 3))
    return Segment(numbered, text(told, "SegmentLabel") or f"segment-{numbered}", colour)


def _maps(name: str, frames: Frames) -> dict[str, Image]:
    if "TotalPixelMatrixColumns" in frames.file.data:
        made = [slide(name, pyramid) for pyramid in pyramids([frames])]
    else:
        made = [volume(name, stack) for stack in stacks(slices(frames))]
    names = safe_names([name, *(f"{name}-{k + 2}" for k in range(len(made) - 1))])
    return {n: replace(image, name=n, kind="labels") for n, image in zip(names, made, strict=True)}


def _tiled(name: str, frames: Frames) -> Segmented:
    pyramid = pyramids([frames])[0]
    level = pyramid.levels[0]
    some = next(iter(level.planes), None)
    if some is None:
        raise Unreadable("it has no tile")
    depths = pyramid.depths
    planes = {(some[0], depth): tiles for (_, depth), tiles in level.planes.items()}
    one = Pyramid((replace_planes(level, planes),))
    return Segmented(slide(name, one), lambda segment, z, box: level.read(str(segment), depths[z], box))


def replace_planes(level: Any, planes: Any) -> Any:
    """The same level with other planes."""
    return type(level)(level.rows, level.columns, level.tile, level.first, level.parts, planes)


def _volume(name: str, frames: Frames) -> Segmented:
    """Slices without any segment are not stored: they are put back where the others are an even distance apart."""
    found = slices(frames)
    shared = within(frames.file.data, "SharedFunctionalGroupsSequence")
    groups = items(frames.file.data, "PerFrameFunctionalGroupsSequence")
    numbered = [path_of(groups[k] if k < len(groups) else None, shared, frames) or "1" for k in range(len(found))]
    places = _places(found)
    where = {id(each): k for k, place in enumerate(places) for each in place}
    table = {(segment, where[id(each)]): each for segment, each in zip(numbered, found, strict=True)}

    def read(segment: int, z: int, box: Region) -> Pixels:
        each = table.get((str(segment), z))
        if each is None:
            return np.zeros(box.shape, frames.stored.dtype)
        return each.frames.read(each.index, box.slices[0])[:, box.slices[1]]

    return Segmented(volume(name, _stack(places)), read)


def _places(found: Sequence[Slice]) -> list[list[Slice]]:
    """The slices by place along the normal, empty ones between where they are missing; else each by itself."""
    if not all(each.position for each in found):
        return [[each] for each in found]
    places: list[list[Slice]] = []
    for each in sorted(found, key=lambda each: each.distance):
        if places and each.distance - places[-1][0].distance < SAME:
            places[-1].append(each)
        else:
            places.append([each])
    return _filled(places)


def _filled(places: list[list[Slice]]) -> list[list[Slice]]:
    if len(places) < 3:
        return places
    distances = np.array([place[0].distance for place in places])
    steps = np.diff(distances)
    step = float(steps.min())
    counts = np.round(steps / step).astype(int)
    if not np.allclose(steps, counts * step, atol=EVEN * step) or counts.sum() > LARGEST:
        return places
    filled: list[list[Slice]] = [[] for _ in range(int(counts.sum()) + 1)]
    for k, place in zip([0, *np.cumsum(counts).tolist()], places, strict=True):
        filled[k] = place
    return filled


def _stack(places: list[list[Slice]]) -> Stack:
    """With the geometry of the first slices at each place."""
    one = [place[0] for place in places if place]
    made = stacks([replace(each, kind=(), order=(0.0, 0.0, 0.0, 0.0, float(k))) for k, each in enumerate(one)])
    if len(made) > 1:
        raise Unreadable("its frames do not lie on one grid")
    if len(one) == len(places):
        return made[0]
    step = (one[-1].distance - one[0].distance) / (len(places) - 1)
    rows = (tuple(one[:1] * len(places)),)
    even = stacks([replace(one[0], order=(0.0,) * 5), replace(one[0], position=_moved(one[0], step), order=(0.0,) * 5)])
    return replace(even[0], slices=rows, step=step)


def _moved(first: Slice, step: float) -> tuple[float, ...]:
    return tuple(np.add(first.position, np.multiply(first.normal, step)))


def _labels(name: str, found: Segmented, segments: Sequence[Segment]) -> Image:
    most = max(segment.number for segment in segments)
    dtype = np.dtype(np.uint8 if most < 256 else np.uint16)

    def plane(z: int, box: Region) -> Pixels:
        out = np.zeros(box.shape, dtype)
        for segment in sorted(segments):
            out[found.read(segment.number, z, box) > 0] = segment.number
        return out

    image = _made(name, found.like, dtype, plane)
    told = [{"number": s.number, "name": s.name, **({"colour": s.colour} if s.colour else {})} for s in segments]
    return replace(
        image,
        kind="labels",
        channels=(),
        metadata=replace(image.metadata, extra={**image.metadata.extra, "Segments": told}),
    )


def _fraction(name: str, found: Segmented, segment: Segment, frames: Frames) -> Image:
    most = number(frames.file.data, "MaximumFractionalValue") or 255.0
    image = _made(name, found.like, frames.stored.dtype, lambda z, box: found.read(segment.number, z, box))
    return replace(
        image,
        kind="intensity",
        channels=(Channel(name=segment.name, colour=segment.colour, window=(0.0, most)),),
        metadata=replace(image.metadata, rescale=(1 / most, 0.0) if most != 1 else None),
    )


def _made(name: str, like: Image, dtype: np.dtype[Any], plane: Callable[[int, Region], Pixels]) -> Image:
    """The image with other pixels, made plane by plane."""

    def read_pixels(region: Region) -> Pixels:
        box = Region(region.start[-2:], region.stop[-2:])
        first, stop = (region.start[0], region.stop[0]) if len(region.start) > 2 else (0, 1)
        planes = [plane(z, box) for z in range(first, stop)]
        return np.stack(planes).reshape(region.shape) if planes else np.empty(region.shape, dtype)

    level: Level = replace(like.levels[0], dtype=dtype, read_pixels=read_pixels)
    return replace(like, name=name, levels=(level,))
