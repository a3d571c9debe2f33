"""The loops of Compresso, compiled: of each plane the borders, the pieces between them, and what lies on borders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.kernels import compiled

BEFORE_X, AFTER_X, BEFORE_Y, AFTER_Y, BEFORE_Z, AFTER_Z, TOLD = range(7)
"""What stands for a voxel on a border: that it is like a neighbour, or that its label comes next; else itself."""


@compiled
def borders(  # noqa: C901 - loops, one within the other
    windows: NDArray[Any], values: NDArray[np.uint64], step: NDArray[np.int64], out: NDArray[np.uint8]
) -> bool:
    """Set the voxels on borders; false where there are fewer windows than the volume has, or unknown ones.

    An even window is twice the place of its bits among the values; an odd one is a run of places zero.
    """
    depth, height, width = out.shape
    left, at = 0, 0
    for z in range(0, depth, step[0]):
        for y in range(0, height, step[1]):
            for x in range(0, width, step[2]):
                place = 0
                if left:
                    left -= 1
                else:
                    if at == len(windows):
                        return False
                    place = windows[at] >> 1
                    if windows[at] & 1:
                        left = place - 1
                        place = 0
                    at += 1
                    if left < 0 or not 0 <= place < len(values):
                        return False
                bits = values[place]
                if bits:
                    for k in range(min(step[0], depth - z)):
                        for j in range(min(step[1], height - y)):
                            for i in range(min(step[2], width - x)):
                                bit = np.uint64((k * step[1] + j) * step[2] + i)
                                out[z + k, y + j, x + i] = (bits >> bit) & np.uint64(1)
    return True


@compiled
def root(parents: NDArray[np.int64], place: int) -> int:
    """The first of the pieces that a piece belongs to."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


@compiled
def pieces(  # noqa: C901 - the same
    border: NDArray[np.uint8], found: NDArray[np.int64], parents: NDArray[np.int64], first: int
) -> int:
    """Number the pieces of a plane between borders, from ``first`` on by their first voxels; the number after the last.

    Voxels on borders get -1; ``parents`` has room for as many numbers as the plane has voxels.
    """
    height, width = border.shape
    count = 0
    for y in range(height):
        for x in range(width):
            found[y, x] = -1
            if border[y, x]:
                continue
            left = found[y, x - 1] if x else -1
            above = found[y - 1, x] if y else -1
            if left >= 0 and above >= 0:
                one, other = root(parents, left), root(parents, above)
                parents[max(one, other)] = min(one, other)
                found[y, x] = min(one, other)
            elif left >= 0 or above >= 0:
                found[y, x] = max(left, above)
            else:
                parents[count] = count
                found[y, x] = count
                count += 1
    numbers = np.empty(count, np.int64)
    for k in range(count):
        # A piece belongs to none that comes after it.
        if parents[k] == k:
            numbers[k] = first
            first += 1
        else:
            numbers[k] = numbers[parents[k]]
    for y in range(height):
        for x in range(width):
            if found[y, x] >= 0:
                found[y, x] = numbers[found[y, x]]
    return first


@compiled
def on_borders(  # noqa: C901, PLR0912 - the same
    border: NDArray[np.uint8], locations: NDArray[Any], out: NDArray[Any]
) -> bool:
    """Fill in the labels of voxels on borders; false where there are too few of what tells them."""
    depth, height, width = out.shape
    at = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if not border[z, y, x]:
                    continue
                if x and not border[z, y, x - 1]:
                    out[z, y, x] = out[z, y, x - 1]
                    continue
                if y and not border[z, y - 1, x]:
                    out[z, y, x] = out[z, y - 1, x]
                    continue
                if at >= len(locations):
                    return False
                told = locations[at]
                at += 1
                if told == BEFORE_X and x:
                    out[z, y, x] = out[z, y, x - 1]
                elif told == AFTER_X and x + 1 < width:
                    out[z, y, x] = out[z, y, x + 1]
                elif told == BEFORE_Y and y:
                    out[z, y, x] = out[z, y - 1, x]
                elif told == AFTER_Y and y + 1 < height:
                    out[z, y, x] = out[z, y + 1, x]
                elif told == BEFORE_Z and z:
                    out[z, y, x] = out[z - 1, y, x]
                elif told == AFTER_Z and z + 1 < depth:
                    out[z, y, x] = out[z + 1, y, x]
                elif told == TOLD and at < len(locations):
                    out[z, y, x] = locations[at]
                    at += 1
                elif told > TOLD:
                    out[z, y, x] = told - (TOLD + 1)
                else:
                    return False
    return True
