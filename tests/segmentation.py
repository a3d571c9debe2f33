"""A decoder of Neuroglancer's compressed segmentation, written from its description, voxel by voxel."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 8


def decoded(data: bytes, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """The labels as c, z, y and x."""
    words = np.frombuffer(data, "<u4")
    out = np.empty(shape, dtype)
    for c in range(shape[0]):
        channel = words[words[c] :]
        for number, (z, y, x) in enumerate(product(*(range(0, size, BLOCK) for size in shape[1:]))):
            block = out[c, z : z + BLOCK, y : y + BLOCK, x : x + BLOCK]
            block[...] = _block(channel, number, np.dtype(dtype))[tuple(map(slice, block.shape))]
    return out


def _block(channel: NDArray[np.uint32], number: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    table, places = int(channel[2 * number]) & 0xFFFFFF, int(channel[2 * number + 1])
    bits = int(channel[2 * number]) >> 24
    assert bits in {0, 1, 2, 4, 8, 16, 32}
    at = np.arange(BLOCK**3) * bits
    index = channel[places + at // 32] >> (at % 32).astype(np.uint32) & (2**bits - 1) if bits else np.zeros_like(at)
    size = dtype.itemsize // 4
    entries = channel[table : table + size * (int(index.max()) + 1)]
    return entries.astype("<u4").view(dtype.newbyteorder("<"))[index].reshape(BLOCK, BLOCK, BLOCK)
