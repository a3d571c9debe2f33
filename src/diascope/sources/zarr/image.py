"""Images of multiscale groups and of bare arrays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from diascope.errors import Unreadable
from diascope.image.axes import Axis
from diascope.image.image import Image, Kind
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Ints, Region
from diascope.sources.reading.documents import Document, part
from diascope.sources.reading.named_axes import VECTORS, Axes, Named, axes_of, guessed
from diascope.sources.zarr.array import Array
from diascope.sources.zarr.multiscale import Multiscale, Placing, described
from diascope.sources.zarr.node import Node, node
from diascope.sources.zarr.omero import channels, is_rgb
from diascope.sources.zarr.passing import with_stored
from diascope.sources.zarr.world import moved, world
from diascope.stores.store import Store

VECTOR_FIELD = "vector_field"
"""What a field of vectors (0.6) is, among what is handed on."""

KEPT = ("multiscales", "omero", "image-label")
"""The attributes that are handed on as they are."""


def multiscale_image(store: Store, found: Multiscale, name: str) -> Image:
    """The image of a multiscale group; reads the metadata of its arrays, no pixel."""
    arrays = [_array(store, path) for path in found.paths]
    rank = len(arrays[0].metadata.shape)
    _check_alike(arrays)
    named = found.named_axes(rank)
    axes = axes_of(named, found.path)
    placings = [found.placing(k, rank) for k in range(len(arrays))]
    pairs = sorted(zip(arrays, placings, strict=True), key=lambda pair: -_size(pair[0].metadata.shape))
    levels = tuple(_level(array, axes, _placing(array, placing, pairs[0])) for array, placing in pairs)
    if "c" in axes.letters and len({level.shape[axes.names.index("c")] for level in levels}) > 1:
        raise Unreadable(f"{found.path}: its levels have different numbers of channels")
    ome = found.node.ome
    size = levels[0].shape[axes.names.index("c")] if "c" in axes.names else 1
    kind = _kind(ome, levels[0], size if "c" in axes.names else 0)
    return Image(
        name=name,
        kind=kind,
        axes=_known(axes.axes, axes, pairs[0][1]),
        levels=tuple(map(partial(_with_whole_colours, axes), levels)) if kind == "rgb" else levels,
        channels=channels(ome, size),
        world=world(found.node.attributes) or moved(store, found, axes),
        metadata=Metadata(
            format=f"OME-Zarr {found.version}".strip(),
            extra={key: ome[key] for key in KEPT if key in ome} | vector_field(named, axes),
        ),
    )


def array_image(store: Store, bare: Node, name: str) -> Image:
    """The image of an array by itself, of one level; it may say where it lies as a level does, as fields do (0.6)."""
    array = bare.array(store)
    rank = len(array.metadata.shape)
    names, told = array.metadata.names, described(bare)
    named = told.named_axes(rank) if told else tuple(map(Named, names)) if names else guessed(rank)
    axes = axes_of(named, bare.path)
    placing = told.placing(0, rank) if told else None
    return Image(
        name=name,
        kind="intensity",
        axes=axes.axes,
        levels=(_level(array, axes, placing or Placing((1.0,) * rank, (0.0,) * rank)),),
        metadata=Metadata(format=f"Zarr v{bare.format}", extra={**bare.attributes, **vector_field(named, axes)}),
    )


def vector_field(named: tuple[Named, ...], axes: Axes) -> Document:
    """What is told of a field of vectors (0.6): its type, and the axes of its parts in their order."""
    kinds = [axis.type for axis in named if axis.type in VECTORS]
    if len(kinds) != 1:
        return {}
    return {VECTOR_FIELD: {"type": kinds[0], "axes": axes.letters.replace("c", "")}}


def _array(store: Store, path: str) -> Array:
    found = node(store, path)
    if found is None:
        raise Unreadable(f"{path}: the array that the metadata names is missing")
    return found.array(store)


def _check_alike(arrays: list[Array]) -> None:
    first = arrays[0].metadata
    for array in arrays[1:]:
        if len(array.metadata.shape) != len(first.shape) or array.metadata.dtype != first.dtype:
            raise Unreadable(
                f"{array.path}: {array.metadata.shape} pixels of {array.metadata.dtype} are no level of an image of "
                f"{first.shape} pixels of {first.dtype}"
            )


def _level(array: Array, axes: Axes, placing: Placing) -> Level:
    def read_turned(region: Region) -> Pixels:
        return axes.turned(array.read(axes.stored(region)))

    shape = axes.ordered(array.metadata.shape, 1)
    chunk_shape = tuple(map(min, axes.ordered(array.metadata.chunk_shape, 1), (max(size, 1) for size in shape)))
    level = Level(
        shape=shape,
        dtype=array.metadata.dtype,
        chunk_shape=chunk_shape,
        scale=axes.ordered(tuple(abs(scale) or 1.0 for scale in placing.scale), 1.0),
        translation=axes.ordered(placing.translation, 0.0),
        read_pixels=array.read if axes.letters == axes.names else read_turned,
    )
    return with_stored(level, array, axes)


def _placing(array: Array, own: Placing | None, finest: tuple[Array, Placing | None]) -> Placing:
    """The array's own where the file tells it, else bins of the finest level."""
    if own is not None:
        return own
    rank = len(array.metadata.shape)
    base = finest[1] or Placing((1.0,) * rank, (0.0,) * rank)
    factors = tuple(map(_factor, finest[0].metadata.shape, array.metadata.shape))
    halves = (t + (f - 1) / 2 * s for t, f, s in zip(base.translation, factors, base.scale, strict=True))
    return Placing(tuple(s * f for s, f in zip(base.scale, factors, strict=True)), tuple(halves))


def _factor(fine: int, coarse: int) -> float:
    """How many pixels were binned to one: a whole number where one gives this size, rounded either way."""
    ratio = fine / max(coarse, 1)
    whole = max(round(ratio), 1)
    return float(whole) if coarse in (fine // whole, -(-fine // whole)) else ratio


def _known(house: tuple[Axis, ...], axes: Axes, placing: Placing | None) -> tuple[Axis, ...]:
    """The axes without the units of those whose scale is not told, or is zero."""
    scales: tuple[Any, ...] = axes.ordered(placing.scale, 0.0) if placing else (0.0,) * len(house)
    return tuple(axis if scale else Axis(axis.name) for axis, scale in zip(house, scales, strict=True))


def _kind(ome: Document, level: Level, channel_count: int) -> Kind:
    if "image-label" in ome and level.dtype.kind in "iu":
        return "labels"
    return "rgb" if is_rgb(part(ome, "omero"), level.dtype, channel_count) else "intensity"


def _with_whole_colours(axes: Axes, level: Level) -> Level:
    """The level with a grid that never parts the colours of a pixel."""
    chunk = (s if n == "c" else c for n, c, s in zip(axes.names, level.chunk_shape, level.shape, strict=True))
    return replace(level, chunk_shape=tuple(chunk))


def _size(shape: Ints) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
