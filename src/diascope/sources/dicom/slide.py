"""Whole slides: pyramids out of files of several resolutions, with their label, overview and thumbnail.

DICOM PS3.3, A.32.8 (VL Whole Slide Microscopy Image) and C.8.12.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image, Kind
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Region
from diascope.sources.dicom.described import acquired, format_of, instrument, profile, said
from diascope.sources.dicom.frames import Frames
from diascope.sources.dicom.matrix import Matrix, matrix, matrix_size, spacing
from diascope.sources.dicom.values import integer, items, number, text, within, words
from diascope.sources.reading.reduction import reduction

PICTURES = {
    "LABEL": "label", "OVERVIEW": "macro", "THUMBNAIL": "thumbnail", "LOCALIZER": "map", "REGIONLOCALIZER": "map",
}  # fmt: skip
"""What the third value of Image Type says of pictures beside the slide."""

UNIT = "micrometer"


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """The levels of one image, the finest first."""

    levels: tuple[Matrix, ...]

    @property
    def first(self) -> Frames:
        return self.levels[0].first

    @property
    def paths(self) -> list[str]:
        return list(dict.fromkeys(path for path, _ in self.levels[0].planes))

    @property
    def depths(self) -> list[float]:
        return sorted({depth for _, depth in self.levels[0].planes})


def is_slide(frames: Frames) -> bool:
    """Whether its frames are tiles, or it is a picture of a slide."""
    return "TotalPixelMatrixColumns" in frames.file.data or text(frames.file.data, "Modality") == "SM"


def role(frames: Frames) -> str:
    """``label``, ``macro``, ``thumbnail`` or ``map``; empty for the slide itself."""
    types = words(frames.file.data, "ImageType")
    return PICTURES.get(types[2], "") if len(types) > 2 else ""


def pyramids(files: Sequence[Frames]) -> list[Pyramid]:
    """The images of one series, the largest first."""
    images: dict[Any, dict[tuple[int, int], list[Frames]]] = defaultdict(lambda: defaultdict(list))
    for frames in files:
        found = frames.stored
        key = (text(frames.file.data, "PyramidUID"), found.samples, found.dtype.str)
        images[key][matrix_size(frames)].append(frames)
    made = [_pyramid(levels) for levels in images.values()]
    return sorted(made, key=lambda each: -each.levels[0].rows * each.levels[0].columns)


def _pyramid(sizes: dict[tuple[int, int], list[Frames]]) -> Pyramid:
    """A coarser level that has not the paths and planes of the finest is left out."""
    ordered = sorted(sizes.items(), key=lambda item: -item[0][0] * item[0][1])
    levels = [matrix(_of_one_tile(parts)) for _, parts in ordered]
    alike = [level for level in levels if level.planes.keys() == levels[0].planes.keys()]
    shrinking = [alike[0]]
    for level in alike[1:]:
        if level.rows <= shrinking[-1].rows and level.columns <= shrinking[-1].columns:
            shrinking.append(level)
    return Pyramid(tuple(shrinking))


def _of_one_tile(parts: list[Frames]) -> list[Frames]:
    """Files whose tiles are of one size; of two that are different ways of storing a level the first is taken."""
    first = parts[0]
    return [each for each in parts if each.stored.shape == first.stored.shape]


def slide(name: str, pyramid: Pyramid) -> Image:
    """Axes c of optical paths or colours, z of focal planes where there are several."""
    first = pyramid.first
    if not pyramid.levels[0].planes:
        raise Unreadable("it has no tile")
    colours = first.stored.samples > 1
    paths, depths = pyramid.paths, pyramid.depths
    if colours and len(paths) > 1:
        raise Unreadable(f"{len(paths)} optical paths of colours each have no place among the axes t c z y x")
    names = "".join(("c" if colours or len(paths) > 1 else "", "z" if len(depths) > 1 else "", "yx"))
    distances = spacing(first)
    units = dict.fromkeys("yx" if distances else "", UNIT) | ({"z": UNIT} if "z" in names else {})
    kind: Kind = "rgb" if colours else "intensity"
    return Image(
        name=name,
        kind=kind,
        axes=axes_named(names, units),
        levels=tuple(_level(pyramid, level, names, distances or (1.0, 1.0)) for level in pyramid.levels),
        channels=() if colours else _channels(pyramid, paths),
        metadata=_metadata(first),
    )


def _level(pyramid: Pyramid, level: Matrix, names: str, distances: tuple[float, float]) -> Level:
    finest = pyramid.levels[0]
    found = pyramid.first.stored
    factors = {"y": reduction(finest.rows, level.rows), "x": reduction(finest.columns, level.columns)}
    steps = {"y": distances[0], "x": distances[1], "z": _step(pyramid.depths)}
    channels = found.samples if found.samples > 1 else len(pyramid.paths)
    sizes = {"c": channels, "z": len(pyramid.depths), "y": level.rows, "x": level.columns}
    chunk = {"y": min(level.tile[0], level.rows), "x": min(level.tile[1], level.columns)}
    if found.samples > 1:
        chunk["c"] = found.samples
    return Level(
        shape=tuple(sizes[axis] for axis in names),
        dtype=found.dtype,
        chunk_shape=tuple(chunk.get(axis, 1) for axis in names),
        scale=tuple(steps.get(axis, 1.0) * factors.get(axis, 1.0) for axis in names),
        translation=tuple((factors.get(axis, 1.0) - 1) / 2 * steps.get(axis, 1.0) for axis in names),
        read_pixels=lambda region: _read(pyramid, level, names, region),
    )


def _step(depths: list[float]) -> float:
    """The mean distance of focal planes."""
    return (depths[-1] - depths[0]) / (len(depths) - 1) if len(depths) > 1 else 1.0


def _read(pyramid: Pyramid, level: Matrix, names: str, region: Region) -> Pixels:
    bounds = dict(zip(names, region.slices, strict=True))
    box = Region(region.start[-2:], region.stop[-2:])
    depths = pyramid.depths[bounds.get("z", slice(0, 1))]
    if pyramid.first.stored.samples > 1:
        planes = [np.moveaxis(level.read(pyramid.paths[0], depth, box), -1, 0)[bounds["c"]] for depth in depths]
        return np.stack(planes, axis=1).reshape(region.shape) if planes else np.empty(region.shape, np.uint8)
    paths = pyramid.paths[bounds.get("c", slice(0, 1))]
    pixels = [level.read(path, depth, box) for path in paths for depth in depths]
    return (np.stack(pixels) if pixels else np.empty(0, pyramid.first.stored.dtype)).reshape(region.shape)


def _channels(pyramid: Pyramid, paths: list[str]) -> tuple[Channel, ...]:
    told = {text(each, "OpticalPathIdentifier"): each for each in _optical_paths(pyramid)}
    return tuple(_channel(path, told.get(path)) for path in paths)


def _optical_paths(pyramid: Pyramid) -> list[Any]:
    return [path for frames in pyramid.levels[0].parts for path in items(frames.file.data, "OpticalPathSequence")]


def _channel(path: str, told: Any) -> Channel:
    if told is None:
        return Channel(name=path)
    wavelength = number(told, "IlluminationWaveLength")
    return Channel(name=text(told, "OpticalPathDescription") or path, excitation=wavelength or None)


def _metadata(frames: Frames) -> Metadata:
    data = frames.file.data
    path = within(data, "OpticalPathSequence")
    lens = number(path, "ObjectiveLensPower") if path is not None else None
    aperture = number(path, "ObjectiveLensNumericalAperture") if path is not None else None
    origin = within(data, "TotalPixelMatrixOriginSequence")
    place = {
        axis: value * 1000
        for axis in "xy"
        if origin is not None and (value := number(origin, f"{axis.upper()}OffsetInSlideCoordinateSystem")) is not None
    }
    return Metadata(
        format=format_of(frames.file),
        description=text(data, "SeriesDescription") or text(data, "StudyDescription"),
        acquired=acquired(data),
        magnification=lens or None,
        aperture=aperture or None,
        instrument=instrument(data),
        position=place,
        icc=_profile(data, path) if frames.stored.samples > 1 else None,
        extra=said(frames.file),
    )


def _profile(data: Any, path: Any) -> bytes | None:
    return (profile(path) if path is not None else None) or profile(data)


def parts_of(files: Sequence[Frames]) -> tuple[list[Frames], dict[str, Frames]]:
    """The files of the slide itself, and by their roles the pictures beside it; alone a picture is the image."""
    main = [frames for frames in files if not role(frames)]
    beside: dict[str, Frames] = {}
    for frames in sorted(files, key=lambda each: integer(each.file.data, "InstanceNumber")):
        if role(frames):
            beside.setdefault(role(frames), frames)
    return (main, beside) if main else (list(files), {})
