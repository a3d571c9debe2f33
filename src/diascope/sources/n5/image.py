"""Images of N5 datasets, multiscale groups, and the setups of BigDataViewer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from diascope.bounded import BoundedCache
from diascope.errors import Unreadable
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Ints, Region
from diascope.image.stored import Stored, stored_as
from diascope.sources.n5.array import Array, array
from diascope.sources.n5.container import Folder, attributes_of, timepoint
from diascope.sources.n5.placing import Placing, factors_of, ngff, own_placing, ratios, transformed
from diascope.sources.reading.documents import Document, below, joined, listing, mapping, part, text
from diascope.sources.reading.named_axes import Axes, axes_of
from diascope.stores.store import Store

MOST_LEVELS = 64
MOST_ARRAYS = 1000
"""How many arrays of a setup's times stay open."""

OWN = {"dimensions", "blockSize", "dataType", "compression", "n5"}
"""What is not handed on: it is said of the pixels already."""


class Found(NamedTuple):
    """A level: its array, its attributes, and where a list of levels says that it lies."""

    array: Array
    attributes: Document
    placing: Placing | None = None


def image(store: Store, found: Folder, name: str) -> Image:
    """The image that a folder is; reads the attributes of its levels, no pixel."""
    if not found.levels:
        return _image(name, found, [Found(array(store, found.path, found.attributes), found.attributes)], {})
    if found.timepoints:
        return _setup(store, found, name)
    group = found.attributes if found.levels == found.path else (attributes_of(store, found.levels) or {})
    return _image(name, found, list(_levels(store, found.levels, group)), group)


def _levels(store: Store, path: str, group: Document) -> Iterator[Found]:
    """Those that the group lists, else s0, s1 and so on."""
    if isinstance(group.get("multiscales"), list) and group["multiscales"]:
        multiscale = mapping(group["multiscales"][0], f"{path}: multiscales")
        for entry in listing(multiscale.get("datasets"), f"{path}: datasets")[:MOST_LEVELS]:
            dataset = mapping(entry, f"{path}: dataset")
            level = _level_at(store, below(path, text(dataset.get("path"), f"{path}: path")))
            yield level._replace(placing=_listed(multiscale, dataset, len(level.array.shape)))
        return
    for k in range(MOST_LEVELS):
        if k and "dimensions" not in (attributes_of(store, joined(path, f"s{k}")) or {}):
            return
        yield _level_at(store, joined(path, f"s{k}"))


def _level_at(store: Store, path: str) -> Found:
    attributes = attributes_of(store, path)
    if attributes is None:
        raise Unreadable(f"{path}: the level that the group names is missing")
    return Found(array(store, path, attributes), attributes)


def _listed(multiscale: Document, dataset: Document, rank: int) -> Placing | None:
    """Where the list of levels says that one lies."""
    if placed := transformed(part(dataset, "transform"), rank):
        return placed
    steps = dataset.get("coordinateTransformations")
    common = multiscale.get("coordinateTransformations")
    every = [*(steps if isinstance(steps, list) else []), *(common if isinstance(common, list) else [])]
    return ngff(multiscale.get("axes"), every, rank) if every else None


def _image(name: str, found: Folder, levels: list[Found], group: Document) -> Image:
    if not levels:
        raise Unreadable(f"{found.path}: it lists no levels")
    _check_alike(levels)
    placings = _placings(levels, group)
    axes = axes_of(placings[0].named, found.path)
    made = [_level(each.array, axes, placing) for each, placing in zip(levels, placings, strict=True)]
    made.sort(key=lambda level: level.scale[-1])
    is_labels = found.is_labels and made[0].dtype.kind in "iu"
    return Image(
        name=name,
        kind="labels" if is_labels else "intensity",
        axes=axes.axes,
        levels=tuple(made),
        metadata=Metadata(format="N5", extra=_extra(found.attributes | group)),
    )


def _placings(levels: list[Found], group: Document) -> list[Placing]:
    """Where the levels lie: what is told of the finest is told of all."""
    rank, first = len(levels[0].array.shape), levels[0]
    lists = (group.get(key) for key in ("downsamplingFactors", "scales"))
    listed: list[Any] = next((each for each in lists if isinstance(each, list)), [])
    shared = {key: value for key, value in first.attributes.items() if key not in ("transform", "downsamplingFactors")}
    placings = []
    for k, level in enumerate(levels):
        told = factors_of(level.attributes, listed[k] if k < len(listed) else None, rank)
        factors = told or ratios(first.array.shape, level.array.shape)
        own = own_placing(level.attributes, shared | {**group}, factors)
        placings.append(level.placing or own)
    return placings


def _check_alike(levels: list[Found]) -> None:
    first = levels[0].array
    for each in (level.array for level in levels[1:]):
        if len(each.shape) != len(first.shape) or each.dtype != first.dtype:
            raise Unreadable(f"{each.path}: {each.shape} pixels of {each.dtype} are no level of {first.shape} pixels")


def _level(own: Array, axes: Axes, placing: Placing) -> Level:
    def read_turned(region: Region) -> Pixels:
        return axes.turned(own.read(axes.stored(region)))

    shape = axes.ordered(own.shape, 1)
    level = Level(
        shape=shape,
        dtype=own.dtype,
        chunk_shape=tuple(min(c, max(n, 1)) for c, n in zip(axes.ordered(own.chunk_shape, 1), shape, strict=True)),
        scale=axes.ordered(placing.scale, 1.0),
        translation=axes.ordered(placing.translation, 0.0),
        read_pixels=own.read if axes.letters == axes.names else read_turned,
    )
    return _with_stored(level, own, axes)


def _with_stored(level: Level, own: Array, axes: Axes) -> Level:
    """Not where the level is smaller than a block, which then is no cell of its grid."""
    packing = own.packing
    if packing is None or axes.ordered(own.chunk_shape, 1) != level.chunk_shape:
        return level
    stored = Stored(
        codec=packing.codec,
        dtype=own.dtype.newbyteorder(">"),
        order=axes.letters,
        is_padded=False,
        chunk=lambda index: own.packed(axes.placed(index)),
        parameters=packing.parameters,
        is_near=own.store.local_path("") is not None,
    )
    return stored_as(level, stored)


def _extra(attributes: Document) -> dict[str, Any]:
    """What JSON can hold of the rest: Python reads more than that."""
    kept = {key: value for key, value in attributes.items() if key not in OWN}
    try:
        return dict(json.loads(json.dumps(kept), parse_constant=lambda _: None))
    except (ValueError, RecursionError):
        return {}


def _setup(store: Store, found: Folder, name: str) -> Image:
    """A setup of BigDataViewer, with an axis t where there are several times."""
    first = timepoint(found.path, found.timepoints[0])
    group = (attributes_of(store, first) or {}) | found.attributes
    image = _image(name, replace(found, attributes=group), list(_levels(store, first, group)), group)
    if len(found.timepoints) == 1:
        return image
    if "t" in image.axis_names:
        raise Unreadable(f"{found.path}: its views have an axis of time of their own")
    reads = _reads(store, found, image)
    levels = tuple(_with_times(level, found.timepoints, reads(k)) for k, level in enumerate(image.levels))
    extra = {**image.metadata.extra, "timepoints": list(found.timepoints)}
    return replace(image, axes=(Axis("t"), *image.axes), levels=levels, metadata=replace(image.metadata, extra=extra))


def _reads(store: Store, found: Folder, first: Image) -> Callable[[int], Callable[[int], Level]]:
    """The level of this number at a time, which must be like that of the first time."""
    images: BoundedCache[Image] = BoundedCache(MOST_ARRAYS, weigh=lambda _: 1)

    def made(time: int) -> Image:
        path = timepoint(found.path, time)
        group = (attributes_of(store, path) or {}) | found.attributes
        return _image(first.name, replace(found, attributes=group), list(_levels(store, path, group)), group)

    def of_level(k: int) -> Callable[[int], Level]:
        def at(time: int) -> Level:
            levels = images.get(time, lambda: made(time)).levels
            like = first.levels[k]
            if k >= len(levels) or levels[k].shape != like.shape or levels[k].dtype != like.dtype:
                raise Unreadable(f"{timepoint(found.path, time)}: it is unlike the first time of its setup")
            return levels[k]

        return at

    return of_level


def _with_times(level: Level, times: tuple[int, ...], at: Callable[[int], Level]) -> Level:
    def read_pixels(region: Region) -> Pixels:
        box = Region(region.start[1:], region.stop[1:])
        planes = [at(time).read(box) for time in times[region.start[0] : region.stop[0]]]
        if len(planes) == 1:
            return planes[0][None]
        return np.stack(planes) if planes else np.empty(region.shape, level.dtype)

    film = replace(
        level,
        shape=(len(times), *level.shape),
        chunk_shape=(1, *level.chunk_shape),
        scale=(1.0, *level.scale),
        translation=(0.0, *level.translation),
        read_pixels=read_pixels,
    )
    return stored_as(film, level.stored and _at_times(level.stored, times, at))


def _at_times(first: Stored, times: tuple[int, ...], at: Callable[[int], Level]) -> Stored:
    """The chunks of all the times that pack them as the first one does."""

    def chunk(index: Ints) -> bytes | None:
        own = at(times[index[0]]).stored
        alike = own and (own.codec, own.dtype, own.order) == (first.codec, first.dtype, first.order)
        return own.chunk(index[1:]) if own and alike else None

    return replace(first, chunk=chunk)
