"""The chunks of a level as their source stores them, for layouts that can pass them on unopened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from diascope.image.level import Level
from diascope.image.region import Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """What a chunk of a level is as bytes.

    The grid is ``chunk_shape`` of the level. A layout passes a chunk on only if grid, edges, byte order, order of the
    axes and codec all equal what it would write; decoding the bytes must give just the pixels that the level gives.
    """

    codec: str
    """``raw``, ``jpeg``, ``zlib``, ``gzip``, ``zstd``, ``blosc`` …: that alone, no filter or predictor before it."""
    dtype: np.dtype[Any]
    """In the byte order of the stored bytes."""
    order: str
    """The axes as the pixels lie in a chunk, slowest first, such as ``yxc`` for interleaved colours.

    Those along which a chunk is one pixel long may be left out.
    """
    is_padded: bool
    """Whether a chunk at an upper edge is as large as the others; else it ends where the level does."""
    chunk: Callable[[Ints], bytes | None]
    """The bytes by the chunk's place in the grid, None where it is not stored; called from many threads at once."""
    extent: Callable[[Ints], tuple[int, int] | None] | None = None
    """The bytes' start and stop in ``file``, where they lie in one piece; None where they are not stored."""
    read: Callable[[int, int], bytes] | None = None
    """The bytes from start to stop of the file that the extents are of."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What a decoder must be told, in the words of the codec: nothing where the bytes tell all."""
    is_near: bool = False
    """Whether a chunk is a positional read or two of a local file."""

    def is_in(self, level: Level, axes: str, chunk_shape: Ints, order: str | None = None) -> bool:
        """Whether the chunks of a level of these axes are of this shape and type, and their pixels lie in this order.

        That is the axes' own where no other is wanted; along those that a chunk has one pixel of there is none.
        """
        long = [name for name, side in zip(axes, chunk_shape, strict=True) if side > 1]
        wanted = [name for name in order or axes if name in long]
        in_order = [name for name in self.order if name in long] == wanted
        return in_order and level.chunk_shape == chunk_shape and self.dtype.newbyteorder("=") == level.dtype

    def passed(self, level: Level, index: Ints, *, padded: bool) -> bytes | None:
        """A chunk's bytes where they are stored, and at an upper edge are padded, or clipped, as it is wanted."""
        return self.chunk(index) if padded == self.is_padded or is_inside(level, index) else None


def is_inside(level: Level, index: Ints) -> bool:
    """Whether the chunk at this place ends no later than the level."""
    ends = zip(index, level.chunk_shape, level.shape, strict=True)
    return all((i + 1) * side <= size for i, side, size in ends)


def stored_as(level: Level, stored: Stored | None) -> Level:
    """The same level that also knows its chunks as they are stored; it must be true.

    ``replace`` of a level leaves that out: pixels that are made of others are stored nowhere.
    """
    same = replace(level)
    object.__setattr__(same, "stored", stored)
    return same


def kept_inside(stored: Stored, before: Level, after: Level) -> Stored:
    """The chunks that end neither after the level that they are of nor after another one with the same pixels."""

    def is_kept(index: Ints) -> bool:
        return is_inside(before, index) and is_inside(after, index)

    extent = stored.extent
    return replace(
        stored,
        chunk=lambda index: stored.chunk(index) if is_kept(index) else None,
        extent=extent and (lambda index: extent(index) if is_kept(index) else None),
    )


def at_index(stored: Stored, axis: int, name: str, at: int) -> Stored:
    """The chunks at an index of an axis along which they are one pixel long, by their places along the others."""

    def place(index: Ints) -> Ints:
        return (*index[:axis], at, *index[axis:])

    extent = stored.extent
    return replace(
        stored,
        order=stored.order.replace(name, ""),
        chunk=lambda index: stored.chunk(place(index)),
        extent=extent and (lambda index: extent(place(index))),
    )


def through(stored: Stored, run: Callable[[Callable[[], Any]], Any]) -> Stored:
    """The same chunks, all reading done by ``run``, which takes what reads."""
    read = stored.read
    return replace(
        stored,
        chunk=lambda index: run(partial(stored.chunk, index)),
        read=read and (lambda start, stop: run(partial(read, start, stop))),
    )
