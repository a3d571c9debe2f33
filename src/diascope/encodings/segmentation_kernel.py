"""The labels of blocks of a compressed segmentation, in compiled loops.

https://github.com/google/neuroglancer/blob/master/src/sliceview/compressed_segmentation/README.md
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.kernels import compiled

MOST_BITS = 32


@compiled
def labels_of(  # noqa: C901, PLR0912 - compiled loops, one within the other
    words: NDArray[np.uint32], start: int, block: NDArray[Any], wide: bool, out: NDArray[Any]
) -> bool:
    """Fill a channel of z, y, x with its labels; false where a word points beyond the others.

    ``start`` is the channel's first word, ``block`` the sides of a block along z, y, x; labels that are ``wide`` have
    two words.
    """
    depth, height, width = out.shape
    size_z, size_y, size_x = block[0], block[1], block[2]
    blocks_y, blocks_x = -(-height // size_y), -(-width // size_x)
    count = np.int64(len(words))
    per = np.int64(2) if wide else np.int64(1)
    for z in range(0, depth, size_z):
        for y in range(0, height, size_y):
            for x in range(0, width, size_x):
                head = start + 2 * ((z // size_z * blocks_y + y // size_y) * blocks_x + x // size_x)
                if head + 1 >= count:
                    return False
                table = start + np.int64(words[head] & np.uint32(0xFFFFFF))
                bits = np.int64(words[head] >> np.uint32(24))
                places = start + np.int64(words[head + 1])
                if bits > MOST_BITS or bits & (bits - 1):
                    return False
                # The last of the block's voxels that lie in the chunk is the one whose place lies farthest on.
                deep, high, long = min(size_z, depth - z), min(size_y, height - y), min(size_x, width - x)
                last = ((deep - 1) * size_y + high - 1) * size_x + long - 1
                if (bits and places + (last * bits >> 5) >= count) or table + per > count:
                    return False
                mask = (np.int64(1) << bits) - 1
                for k in range(deep):
                    for j in range(high):
                        at = (k * size_y + j) * size_x * bits
                        for i in range(long):
                            entry = table
                            if bits:
                                word = np.int64(words[places + (at >> 5)])
                                entry += per * ((word >> (at & 31)) & mask)
                                at += bits
                                if entry + per > count:
                                    return False
                            if wide:
                                high_word = np.uint64(words[entry + 1]) << np.uint64(32)
                                out[z + k, y + j, x + i] = np.uint64(words[entry]) | high_word
                            else:
                                out[z + k, y + j, x + i] = words[entry]
    return True
