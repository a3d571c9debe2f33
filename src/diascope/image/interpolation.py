"""Pixels of any type through the compiled loops, which know numbers of one to eight bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Interpolation
from diascope.image.level import Pixels
from diascope.image.placing import Placing
from diascope.image.region import Ints


class Piece(NamedTuple):
    """Pixels of the source and the piece of the result that is made of them."""

    source: Pixels
    """(c, z, y, x)."""
    out: Pixels
    """(c, z, y, x), to be filled."""
    start: Ints
    """The index of its first pixel in the result, along the spatial axes."""
    first: Ints
    """The index of the source's first pixel in its level, along the spatial axes."""
    field: NDArray[np.float64]
    """Where the pixels of the piece lie; see ``Placing.field``."""


def interpolated(piece: Piece, placing: Placing, interpolation: Interpolation) -> None:
    """Fill in what lies in the source."""
    start, first = _deep(piece.start), _deep(piece.first)
    source, out = piece.source, piece.out
    if not placing.is_volume and placing.has_planes:
        begin = first[0] - placing.shift - start[0]
        out = out[:, begin : begin + source.shape[1]]
        start = (start[0] + begin, *start[1:])
    for pixels, into, z in _stacks(source, out, placing):
        box = np.array([placing.size, (first[0] + z, *first[1:])], np.int64)
        _filled(pixels, into, box, np.array((start[0] + z, *start[1:]), np.int64), placing, piece.field, interpolation)


def _deep(index: Ints) -> Ints:
    return index if len(index) == 3 else (0, *index)


def _stacks(source: Pixels, out: Pixels, placing: Placing) -> list[tuple[Pixels, Pixels, int]]:
    """Pixels that share their coordinates, along the first axis: channels, or planes that stay planes."""
    if placing.is_volume:
        return [(source, out, 0)]
    if source.shape[0] == 1 and not placing.slabs.size and placing.bent is None:
        return [(source.swapaxes(0, 1), out.swapaxes(0, 1), 0)]
    return [(source[:, z : z + 1], out[:, z : z + 1], z) for z in range(source.shape[1])]


def _filled(  # noqa: PLR0913, PLR0917
    source: Pixels,
    out: Pixels,
    box: NDArray[np.int64],
    start: NDArray[np.int64],
    placing: Placing,
    field: NDArray[np.float64],
    interpolation: Interpolation,
) -> None:
    from diascope.image import kernels

    known = _known(out.dtype, interpolation)
    if known != out.dtype or not out.flags.c_contiguous:
        # The compiled loops are made anew for another layout of memory too.
        made = np.zeros(out.shape, known)
        _filled(source.astype(known, copy=False), made, box, start, placing, field, interpolation)
        out[...] = made
        return
    if out.dtype.kind == "c":
        for part in range(2):
            _filled(_part(source, part), _part(out, part), box, start, placing, field, interpolation)
        return
    if interpolation == "nearest":
        unsigned = f"u{out.dtype.itemsize}"
        source, out = source.view(unsigned), out.view(unsigned)
    flat, strides = _flat(source)
    arguments = (flat, strides, box, out, placing.matrix, placing.slabs, start, field)
    axes = 3 if placing.is_volume else 2
    if interpolation == "nearest":
        kernels.nearest(*arguments, axes)
    elif interpolation == "cubic":
        kernels.cubic(*arguments, limits(out.dtype), axes)
    elif placing.is_volume:
        kernels.linear_volumes(*arguments, limits(out.dtype))
    else:
        kernels.linear_planes(*arguments, limits(out.dtype))


def _known(dtype: np.dtype[Any], interpolation: Interpolation) -> np.dtype[Any]:
    """The type in which pixels are interpolated: half precision is no number to the compiled loops."""
    return np.dtype(np.float32) if dtype == np.float16 and interpolation != "nearest" else dtype


def _part(pixels: Pixels, part: int) -> Pixels:
    """The real or the imaginary parts."""
    return pixels.imag if part else pixels.real


def _flat(pixels: Pixels) -> tuple[Pixels, NDArray[np.int64]]:
    """The pixels in a row as they lie in memory, not to be written to, and their distances in it along each axis."""
    order = sorted(range(pixels.ndim), key=lambda d: -abs(pixels.strides[d]))
    ordered = np.ascontiguousarray(pixels.transpose(order))
    strides = np.empty(pixels.ndim, np.int64)
    strides[order] = [stride // pixels.itemsize for stride in ordered.strides]
    flat = ordered.reshape(-1)
    # The compiled loops are made anew for arrays that may be written to.
    flat.flags.writeable = False
    return flat, strides


def limits(dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """The lowest and highest numbers of a type of integers that double precision has; NaN of floats."""
    if dtype.kind not in "iu":
        return np.full(2, np.nan)
    info = np.iinfo(dtype)
    high = float(info.max)
    return np.array([info.min, high if int(high) <= info.max else np.nextafter(high, 0)], np.float64)
