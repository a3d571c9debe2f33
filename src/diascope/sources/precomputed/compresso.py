"""Compresso: labels as the borders between them, in small windows of which few are unlike one another.

Matejek et al., Compresso: Efficient Compression of Segmentation Data for Connectomics (MICCAI 2017), in the format of
https://github.com/seung-lab/compresso; little-endian, x fastest ::

    0   4   "cpso"
    4   1   version, 0 or 1              14  3   sides of a window along x, y, z
    5   1   bytes of a label             17  8   how many pieces there are
    6   2   size along x, then y, z      25  4   how many windows are unlike one another
    12  2                                29  8   how many numbers tell what lies on borders
                                         35  1   4: pieces are those of planes, 6: of the volume
    labels of the pieces, bits of the windows, what lies on borders, windows, and of version 1 an index of planes
"""

from __future__ import annotations

import struct
from math import prod
from typing import Any, NamedTuple

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Ints

HEADER = struct.Struct("<4sBB3H3BQIQB")
PLANES = 4
MOST_BITS = 64
"""Of a window."""


class Parts(NamedTuple):
    """What a chunk is made of."""

    windows: Pixels
    bits: Pixels
    """Of the windows that are unlike one another."""
    step: Ints
    """The sides of a window along z, y, x."""
    labels: Pixels
    """Of the pieces."""
    told: Pixels
    """What lies on borders."""


def decoded(data: bytes, shape: Ints, dtype: np.dtype[Any]) -> Pixels:
    """Labels of c, z, y and x, the channels behind one another along z; raises ValueError where they are corrupt."""
    return _volume(_parts(data, shape, dtype), (shape[0] * shape[1], *shape[2:])).reshape(shape)


def _parts(data: bytes, shape: Ints, dtype: np.dtype[Any]) -> Parts:
    if len(data) < HEADER.size:
        raise ValueError("it is no Compresso")
    magic, version, width, x, y, z, *step, pieces, values, locations, connectivity = HEADER.unpack_from(data)
    if magic != b"cpso" or version > 1 or width != dtype.itemsize or dtype.kind != "u":
        raise ValueError(f"it is no Compresso of the version 0 or 1 with labels of {dtype}")
    if (x, y, z) != (shape[3], shape[2], shape[1] * shape[0]):
        raise ValueError(f"it holds {x} by {y} by {z} labels")
    if connectivity != PLANES or not 0 < prod(step) <= MOST_BITS:
        raise ValueError(f"it holds windows of {prod(step)} bits, or pieces that go through several planes")
    window = np.dtype(f"<u{next(size for size in (1, 2, 4, 8) if prod(step) <= 8 * size)}")
    stored = dtype.newbyteorder("<")
    counts, kinds = (pieces, values, locations), (stored, window, stored)
    found, at = [], HEADER.size
    for count, kind in zip(counts, kinds, strict=True):
        stop = at + count * kind.itemsize
        if stop > len(data):
            raise ValueError(f"it tells of {stop} bytes and has {len(data)}")
        found.append(_native(data, at, count, kind))
        at = stop
    windows = _native(data, at, (len(data) - at) // window.itemsize, window)
    return Parts(windows.astype(np.int64), found[1].astype(np.uint64), tuple(step[::-1]), found[0], found[2])


def _native(data: bytes, start: int, count: int, kind: np.dtype[Any]) -> Pixels:
    return np.frombuffer(data, kind, count, start).astype(kind.newbyteorder("="), copy=False)


def _volume(parts: Parts, shape: Ints) -> Pixels:
    from diascope.sources.precomputed.compresso_kernel import borders, on_borders, pieces

    border = np.zeros(shape, np.uint8)
    if not borders(parts.windows, parts.bits, np.array(parts.step, np.int64), border):
        raise ValueError("its windows end too soon")
    out = np.zeros(shape, parts.labels.dtype)
    found, parents = np.empty(shape[1:], np.int64), np.empty(prod(shape[1:]), np.int64)
    count = 0
    for plane, own in zip(border, out, strict=True):
        count = pieces(plane, found, parents, count)
        if count > len(parts.labels):
            raise ValueError(f"it has labels of {len(parts.labels)} pieces, and more than these")
        inside = found >= 0
        own[inside] = parts.labels[found[inside]]
    if not on_borders(border, parts.told, out):
        raise ValueError("what lies on its borders is not all told")
    return out
