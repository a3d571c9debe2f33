"""What the document ``info`` of a volume says.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md; lists are x first there, and
here z first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.region import Ints
from diascope.sources.reading.documents import Document, below, listing, mapping, part, shown, sizes, text

TYPES = {"uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32"}

LARGEST_CHUNK = 1 << 30
MOST_SCALES = 64
MOST_CHANNELS = 1 << 14
FARTHEST = 1 << 53

OTHERS = {
    "neuroglancer_skeletons": "skeletons",
    "neuroglancer_legacy_mesh": "meshes",
    "neuroglancer_multilod_draco": "meshes",
    "neuroglancer_annotations_v1": "annotations",
    "neuroglancer_segment_properties": "properties of segments",
}
"""What other documents of this name tell of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One scale of a volume; what there is along axes is along z, y, x."""

    path: str
    size: Ints
    resolution: tuple[float, ...]
    """Nanometres."""
    offset: Ints
    """Of the first voxel's lower corner, in voxels."""
    chunk_size: Ints
    encoding: str
    block_size: Ints
    """Of a compressed segmentation."""
    sharding: Document | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """A volume."""

    dtype: np.dtype[Any]
    channels: int
    is_segmentation: bool
    scales: tuple[Scale, ...]
    rest: Document
    """What else is said."""


def info(document: Document, path: str) -> Info:
    """Raises Unreadable where the document tells of no volume, or of an impossible one."""
    other = OTHERS.get(str(document.get("@type")), "skeletons" if "spatial_index" in document else None)
    if other and "scales" not in document:
        raise Unreadable(f"{path}: this precomputed folder holds {other}, and no image")
    name = document.get("data_type")
    if not isinstance(name, str) or name.lower() not in TYPES:
        raise Unreadable(f"{path}: voxels of the type {shown(name)} are not known")
    (channels,) = sizes([document.get("num_channels", 1)], f"{path}: num_channels", least=1)
    entries = listing(document.get("scales"), f"{path}: scales")
    if not 0 < len(entries) <= MOST_SCALES or channels > MOST_CHANNELS:
        raise Unreadable(f"{path}: {len(entries)} scales of {channels} channels make no volume")
    dtype = np.dtype(name.lower())
    found = [_scale(mapping(entry, f"{path}: scale"), path) for entry in entries]
    for each in found:
        if prod(each.chunk_size) * channels * dtype.itemsize > LARGEST_CHUNK:
            raise Unreadable(f"{path}: a chunk of {each.chunk_size} voxels is larger than {LARGEST_CHUNK} bytes")
    return Info(
        dtype=dtype,
        channels=channels,
        is_segmentation=document.get("type") == "segmentation",
        scales=tuple(_coarser_and_coarser(found)),
        rest={key: value for key, value in document.items() if isinstance(value, str) and key != "@type"},
    )


def _scale(entry: Document, path: str) -> Scale:
    key = text(entry.get("key"), f"{path}: key")
    what = f"{path}: scale {shown(key)}"
    chunk_sizes = listing(entry.get("chunk_sizes"), f"{what}: chunk_sizes")
    if not chunk_sizes:
        raise Unreadable(f"{what}: it has no chunk_sizes")
    sharding = entry.get("sharding")
    size = _three(entry.get("size"), f"{what}: size")
    return Scale(
        path=below(path, key),
        size=size,
        resolution=_resolution(entry.get("resolution"), what),
        offset=_offset(entry.get("voxel_offset", [0, 0, 0]), what),
        chunk_size=tuple(map(min, _three(chunk_sizes[0], f"{what}: chunk_sizes"), size)),
        encoding=text(entry.get("encoding"), f"{what}: encoding"),
        block_size=_three(entry.get("compressed_segmentation_block_size", [8, 8, 8]), f"{what}: block size"),
        sharding=None if sharding is None else part({"": sharding}, ""),
    )


def _three(value: Any, what: str) -> Ints:
    """Three sizes, z first."""
    found = sizes(value, what, least=1)
    if len(found) != 3:
        raise Unreadable(f"{what}: {len(found)} sizes instead of three")
    return found[::-1]


def _resolution(value: Any, what: str) -> tuple[float, ...]:
    numbers = listing(value, f"{what}: resolution")
    if len(numbers) != 3 or any(type(n) not in (int, float) or not 0 < n < FARTHEST for n in numbers):
        raise Unreadable(f"{what}: {shown(value)} is no resolution")
    return tuple(float(n) for n in numbers[::-1] if isfinite(n))


def _offset(value: Any, what: str) -> Ints:
    """Some writers spell it with a point."""
    numbers = listing(value, f"{what}: voxel_offset")
    if len(numbers) != 3 or any(type(n) not in (int, float) or not -FARTHEST < n < FARTHEST for n in numbers):
        raise Unreadable(f"{what}: {shown(value)} is no voxel_offset")
    return tuple(int(n) for n in numbers[::-1])


def _coarser_and_coarser(scales: list[Scale]) -> list[Scale]:
    """Finest first; one that is finer along an axis than the one before it, or as fine along all, is left out."""
    kept: list[Scale] = []
    for scale in sorted(scales, key=lambda scale: prod(scale.resolution)):
        if not kept or _is_coarser(scale.resolution, kept[-1].resolution):
            kept.append(scale)
    return kept


def _is_coarser(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))
