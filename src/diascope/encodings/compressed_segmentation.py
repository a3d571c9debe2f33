"""Neuroglancer's compressed segmentation, without loss: labels of 32 or 64 bits as places in the table of their block.

https://github.com/google/neuroglancer/blob/master/src/sliceview/compressed_segmentation/README.md; words of 4 bytes,
little-endian ::

    channels         for each the word that it begins with
    a channel        for each block of 8 × 8 × 8, x fastest, 2 words:
                         where its table is (24 bits) and how many bits a place has (8 bits)
                         where its places are
                     the places of each block in its table: of 0, 1, 2, 4, 8 or 16 bits, x fastest, lowest bits first
                     the tables, in the order of labels; blocks with the same labels share one

Where counts from the channel's first word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unsupported

BLOCK = 8
"""The sides of a block."""
VOXELS = BLOCK**3

NARROWEST = 4
"""Bytes of a label, at least."""

WIDTHS = np.array([0, 1, 2, 4, 8, 16])
"""Bits of a place."""
FEW = 4
"""Bits of a place up to which comparing with each of a table is faster than searching it."""

LARGEST = 1 << 24
"""In words: what 24 bits can tell."""


def encoded(labels: NDArray[Any]) -> bytes:
    """Of an array of c, z, y and x in 4 or 8 bytes without sign."""
    if labels.dtype.kind != "u" or labels.dtype.itemsize not in (4, 8):
        raise Unsupported(f"compressed segmentation cannot hold labels of the type {labels.dtype}")
    channels = [_channel(_blocks(each)) for each in labels]
    starts = np.cumsum([len(channels), *map(len, channels[:-1])])
    return np.concatenate([starts, *channels]).astype("<u4").tobytes()


def decoded(data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], block: tuple[int, ...]) -> NDArray[Any]:
    """Labels of c, z, y and x, of 4 or 8 bytes, in blocks of these sides along z, y and x.

    Raises ValueError where the words are not those of so many labels.
    """
    from diascope.encodings.segmentation_kernel import labels_of

    if len(data) % 4 or dtype.kind != "u" or dtype.itemsize not in (4, 8):
        raise ValueError(f"{len(data)} bytes are no compressed segmentation of {dtype}")
    words = np.frombuffer(data, "<u4").astype(np.uint32, copy=False)
    if len(words) < shape[0]:
        raise ValueError(f"{len(words)} words do not tell of {shape[0]} channels")
    out = np.empty(shape, dtype)
    sides = np.array(block, np.int64)
    for start, channel in zip(words[: shape[0]].tolist(), out, strict=True):
        if not labels_of(words, start, sides, dtype.itemsize > NARROWEST, channel):
            raise ValueError("a word of the compressed segmentation points beyond its end")
    return out


def _blocks(labels: NDArray[Any]) -> NDArray[Any]:
    """The labels of each block in a row; those beyond the edges are like those at them, and add none to a table."""
    whole = np.pad(labels, [(0, -size % BLOCK) for size in labels.shape], mode="edge")
    z, y, x = (size // BLOCK for size in whole.shape)
    cut = whole.reshape(z, BLOCK, y, BLOCK, x, BLOCK).transpose(0, 2, 4, 1, 3, 5)
    return np.ascontiguousarray(cut.reshape(-1, VOXELS)).astype(labels.dtype.newbyteorder("="), copy=False)


def _channel(blocks: NDArray[Any]) -> NDArray[np.uint32]:
    """The words of a channel."""
    tables, widths = _tables(blocks)
    ends = np.cumsum(np.concatenate([[2 * len(blocks)], widths * (VOXELS // 32)]))
    words = np.zeros(ends[-1], np.uint32)
    for width in map(int, WIDTHS[1:]):
        (chosen,) = np.nonzero(widths == width)
        if len(chosen):
            packed = _packed(_places(blocks[chosen], [tables[k] for k in chosen], width), width)
            words[ends[chosen][:, None] + np.arange(packed.shape[1])] = packed
    where, stored = _stored(tables, int(ends[-1]))
    words[0 : 2 * len(blocks) : 2] = where | widths << 24
    words[1 : 2 * len(blocks) : 2] = ends[:-1]
    return np.concatenate([words, stored])


def _tables(blocks: NDArray[Any]) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """The labels of each block in order, each once, and how many bits a place among them has."""
    lowest = blocks.min(axis=1)
    (varied,) = np.nonzero(lowest != blocks.max(axis=1))  # most blocks have one label, and need no sorting
    ordered = np.sort(blocks[varied], axis=1)
    is_first = np.ones(ordered.shape, bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=is_first[:, 1:])
    counts = np.ones(len(blocks), np.int64)
    counts[varied] = is_first.sum(axis=1)
    tables = list(lowest[:, None])
    for k, table in zip(varied, np.split(ordered[is_first], np.cumsum(counts[varied])[:-1]), strict=False):
        tables[k] = table
    return tables, WIDTHS[np.searchsorted(1 << WIDTHS, counts)]


def _places(blocks: NDArray[Any], tables: list[NDArray[Any]], width: int) -> NDArray[np.uint32]:
    """The place of each label in its block's table: how many of the table are smaller."""
    if width > FEW:
        found = [np.searchsorted(table, block) for table, block in zip(tables, blocks, strict=True)]
        return np.stack(found).astype(np.uint32)
    longest = max(map(len, tables))
    filled = np.stack([table[np.minimum(np.arange(longest), len(table) - 1)] for table in tables])
    places = np.zeros(blocks.shape, np.uint8)
    for k in range(longest - 1):
        places += blocks > filled[:, k, None]
    return places.astype(np.uint32)


def _packed(places: NDArray[np.uint32], width: int) -> NDArray[np.uint32]:
    """The places of each block as words."""
    grouped = places.reshape(len(places), -1, 32 // width) << np.arange(0, 32, width, dtype=np.uint32)
    return np.asarray(np.bitwise_or.reduce(grouped, axis=-1))


def _stored(tables: list[NDArray[Any]], start: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """The word that each block's table begins with, and the words of the tables, each once, from ``start`` on."""
    known: dict[bytes, int] = {}
    where = np.empty(len(tables), np.int64)
    for k, table in enumerate(tables):
        data = table.astype(table.dtype.newbyteorder("<"), copy=False).tobytes()
        where[k] = known.setdefault(data, start)
        start += len(data) // 4 if where[k] == start else 0
    if start > LARGEST:
        raise Unsupported("so many labels are too many for one chunk of a compressed segmentation")
    return where, np.frombuffer(b"".join(known), "<u4").astype(np.uint32)
