"""The pixels of an MRC file where they lie."""

from __future__ import annotations

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Region
from diascope.sources.mrc.header import Header
from diascope.sources.reading.plain.row_major import ReadBytes, RowMajor
from diascope.sources.reading.plain.stored_box import StoredBox, plain_box


def stored_box(found: Header, read: ReadBytes, start: int) -> StoredBox:
    """The pixels from this byte on."""
    if not found.is_packed:
        return plain_box(read, start, found.axes, found.shape, found.dtype)
    *outer, columns = found.shape
    packed = RowMajor(read, start, (*outer, -(-columns // 2)), np.dtype("u1"))
    return StoredBox(found.axes, found.shape, found.dtype, lambda region: _halves(packed, region))


def _halves(packed: RowMajor, region: Region) -> Pixels:
    """Pixels of four bits, the first of two being the lower half of a byte."""
    first, last = region.start[-1] // 2, -(-region.stop[-1] // 2)
    pairs = packed.box(Region((*region.start[:-1], first), (*region.stop[:-1], max(first, last))))
    pixels = np.stack([pairs & 15, pairs >> 4], axis=-1).reshape(*pairs.shape[:-1], -1)
    skipped = region.start[-1] - 2 * first
    return pixels[..., skipped : skipped + region.shape[-1]]
