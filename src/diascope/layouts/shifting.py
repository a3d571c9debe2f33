"""The compiled loop that moves a picture by a part of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.kernels import compiled


@compiled
def shifted(plane: Any, away: Any, parts: Any, out: Any) -> None:
    """Fill in values between each byte and those so many rows below and bytes to the right of it, halves upwards.

    ``parts`` are how far below and to the right, of one, in single precision. The colours of a pixel lie side by side.
    """
    (below, right), (down, across) = away, parts
    one, half = np.float32(1), np.float32(0.5)
    width = out.shape[1]
    for y in range(out.shape[0]):
        row, other, into = plane[y], plane[y + below], out[y]
        # Slices that begin together: compilers make no vectors of an index that might be negative.
        a, b, c, d = row[:width], row[right:], other[:width], other[right:]
        for x in range(width):
            upper = np.float32(a[x]) * (one - across) + np.float32(b[x]) * across
            lower = np.float32(c[x]) * (one - across) + np.float32(d[x]) * across
            into[x] = np.uint8(np.int32(upper * (one - down) + lower * down + half))
