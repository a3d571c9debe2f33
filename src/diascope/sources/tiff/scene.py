"""An image out of a series of pages and its reduced copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diascope.image.axes import axes_named
from diascope.image.image import Image, Kind
from diascope.image.level import Level
from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Ints
from diascope.image.stored import stored_as
from diascope.sources.reading.pictures.indexed import indexed
from diascope.sources.reading.reduction import reduction
from diascope.sources.tiff.fold import Fold, fold, made_up
from diascope.sources.tiff.stack import Stack
from diascope.sources.tiff.stored import of_level

RGB, YCBCR = 2, 6
CONVERTED = frozenset({6, 7, 33003, 33007, 34892, 34712, 33004, 33005, 34927, 50001, 50002, 52546})
"""Compressions whose decoders give RGB of YCbCr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a file says of an image besides its pixels."""

    spacing: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    """Per axis the distance of pixels and its unit."""
    channels: tuple[Channel, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    is_rgb: bool | None = None
    """None where photometric interpretation decides."""


def image(name: str, stacks: Sequence[Stack], keyframe: Any, facts: Facts) -> Image:
    """The image of stacks that show the same at ever fewer pixels; those that do not follow on are left out."""
    finest = fold(stacks[0])
    unknown = made_up(finest)
    spacing = {axis: known for axis, known in facts.spacing.items() if axis not in unknown and known[0] > 0}
    kind = _kind(finest, keyframe)
    scale = tuple(spacing.get(axis, (1.0, ""))[0] for axis in finest.names)
    levels = [_level(finest, finest.shape, scale, kind)]
    for folded in map(fold, stacks[1:]):
        if _follows(folded, levels[-1], finest):
            levels.append(_level(folded, finest.shape, scale, kind))
    units = {axis: unit for axis, (_, unit) in spacing.items() if axis in finest.names}
    count = finest.shape[finest.names.index("c")] if "c" in finest.names else 1
    made = Image(
        name=name,
        kind=kind,
        axes=axes_named(finest.names, units),
        levels=tuple(levels),
        channels=facts.channels if len(facts.channels) == count and kind != "rgb" else (),
        metadata=facts.metadata,
    )
    return indexed(made, facts.metadata.palette)


def _kind(folded: Fold, keyframe: Any) -> Kind:
    """``rgb`` of three or four samples of 8 or 16 bits that are colours."""
    if "c" not in folded.names:
        return "intensity"
    group = folded.members[folded.names.index("c")]
    dims = [folded.stack.dims[d] for d in group]
    colours = len(dims) == 1 and dims[0].letter == "S" and dims[0].size in {3, 4}
    photometric = keyframe.photometric == RGB or (keyframe.photometric == YCBCR and keyframe.compression in CONVERTED)
    return "rgb" if colours and photometric and folded.stack.dtype in (np.uint8, np.uint16) else "intensity"


def _follows(folded: Fold, finer: Level, finest: Fold) -> bool:
    """Whether it shows the same axes as the finest, with fewer rows and columns than the level before."""
    same = folded.names == finest.names and folded.stack.dtype == finest.stack.dtype
    return (
        same
        and folded.shape[:-2] == finest.shape[:-2]
        and all(0 < size <= fine for size, fine in zip(folded.shape[-2:], finer.shape[-2:], strict=True))
        and folded.shape != finer.shape
    )


def _level(folded: Fold, finest: Ints, scale: tuple[float, ...], kind: Kind) -> Level:
    factors = tuple(reduction(fine, size) for fine, size in zip(finest, folded.shape, strict=True))
    chunk = [min(c, size) for c, size in zip(folded.chunk_shape, folded.shape, strict=True)]
    own = list(chunk)
    if kind == "rgb":
        chunk[folded.names.index("c")] = folded.shape[folded.names.index("c")]
    level = Level(
        shape=folded.shape,
        dtype=folded.stack.dtype,
        chunk_shape=tuple(chunk),
        scale=tuple(s * f for s, f in zip(scale, factors, strict=True)),
        translation=tuple((f - 1) / 2 * s for s, f in zip(scale, factors, strict=True)),
        read_pixels=folded.read,
    )
    return stored_as(level, of_level(folded) if chunk == own else None)
