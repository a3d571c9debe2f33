"""The compiled loops of weighted sums of neighbours; see ``image/kernels.py``.

A row of pixels is added up at once, and each sum and product is rounded by itself, in the order of their distances.
"""

from __future__ import annotations

from typing import Any

from diascope.image.kernels import compiled


@compiled
def across_rows(source: Any, half: Any, sign: float, out: Any) -> None:
    """Fill in (before, axis, behind) the sums of the rows at both sides, by half a kernel.

    Where the sign is negative so are the weights of the rows before, and the middle one has none.
    """
    reach = half.shape[0] - 1
    for p in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = out[p, j]
            middle = source[p, j + reach]
            if sign > 0:
                for i in range(total.shape[0]):
                    total[i] = middle[i] * half[0]
            else:
                total[:] = 0
            for distance in range(1, reach + 1):
                weight = half[distance]
                near, far = source[p, j + reach - distance], source[p, j + reach + distance]
                if sign > 0:
                    for i in range(total.shape[0]):
                        total[i] += (near[i] + far[i]) * weight
                else:
                    for i in range(total.shape[0]):
                        total[i] += (far[i] - near[i]) * weight


@compiled
def along_rows(source: Any, half: Any, sign: float, out: Any) -> None:
    """The same of (before, axis)."""
    reach, width = half.shape[0] - 1, out.shape[1]
    for p in range(out.shape[0]):
        total = out[p]
        middle = source[p, reach : reach + width]
        if sign > 0:
            for i in range(width):
                total[i] = middle[i] * half[0]
        else:
            total[:] = 0
        for distance in range(1, reach + 1):
            weight = half[distance]
            near = source[p, reach - distance : reach - distance + width]
            far = source[p, reach + distance : reach + distance + width]
            if sign > 0:
                for i in range(width):
                    total[i] += (near[i] + far[i]) * weight
            else:
                for i in range(width):
                    total[i] += (far[i] - near[i]) * weight
