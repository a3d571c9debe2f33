"""The chunks that chunked formats are served in: near those that are cheap to read, of a size that viewers like."""

from __future__ import annotations

from collections.abc import Sequence

from diascope.image.axes import Axis
from diascope.image.level import Level
from diascope.image.region import Ints

SMALLEST = 64 * 1024
"""Bytes of a chunk that are worth a request."""

LARGEST = 4 * 1024 * 1024
"""Bytes of a chunk that a viewer does not have to wait for."""

SLENDER = 8
"""How many times longer than wide a chunk may be."""

VOLUME_SIDE = 64
PLANE_SIDE = 512


def served_chunk_shape(axes: Sequence[Axis], level: Level, channels: int = 1) -> Ints:
    """The shape of the chunks, one pixel long along t and c.

    Sides that the level's own chunks cut are kept; those are doubled or halved where a chunk of so many channels would
    be too small, too large or a strip. A side that the level's chunks do not cut is 64 long in a volume and 512 in a
    plane. No side is longer than the level.
    """
    names = [axis.name for axis in axes]
    sides = {name: k for k, name in enumerate(names) if name in "zyx"}
    own = [max(1, min(chunk, size)) for chunk, size in zip(level.chunk_shape, level.shape, strict=True)]
    usual = VOLUME_SIDE if "z" in sides and own[sides["z"]] > 1 else PLANE_SIDE
    chunk = [1] * len(names)
    for k in sides.values():
        chunk[k] = min(usual, own[k]) if own[k] >= level.shape[k] else own[k]
    _grow(chunk, level, channels, (sides["y"], sides["x"]))
    _shrink(chunk, level, channels)
    return tuple(chunk)


def _weight(chunk: list[int], level: Level, channels: int) -> int:
    weight = level.dtype.itemsize * channels
    for side in chunk:
        weight *= side
    return weight


def _grow(chunk: list[int], level: Level, channels: int, plane: tuple[int, int]) -> None:
    """Double the shorter side of the plane while the chunk is too small or too slender, and there is more to take."""
    while growable := [k for k in plane if chunk[k] < level.shape[k]]:
        shorter = min(growable, key=lambda k: chunk[k])
        slender = max(chunk[k] for k in plane) > SLENDER * chunk[shorter]
        if not slender and _weight(chunk, level, channels) >= SMALLEST:
            return
        chunk[shorter] = min(2 * chunk[shorter], level.shape[shorter])


def _shrink(chunk: list[int], level: Level, channels: int) -> None:
    """Halve the longest side while the chunk is too large."""
    while _weight(chunk, level, channels) > LARGEST and max(chunk) > 1:
        longest = max(range(len(chunk)), key=lambda k: chunk[k])
        chunk[longest] = -(-chunk[longest] // 2)
