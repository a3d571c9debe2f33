"""Labels that spread into what has none, each pixel getting the nearest one."""

from __future__ import annotations

import numpy as np

from diascope.image.level import Pixels
from diascope.operations.ball import SLACK, Ball


def spread(pixels: Pixels, ball: Ball) -> Pixels:
    """The nearest label within the ball, of two as near the smaller; without the ends that lack neighbours.

    Distances are found axis by axis: of all pixels in a row the nearest along it is the nearest to whatever lies
    beside the row, too.
    """
    from diascope.operations.sliding import nearest_in_rows, nearest_of_rows

    unit = min(ball.steps[axis] for axis in range(3) if ball.reach[axis] or axis == 2)
    # Where pixels are as far apart along all axes squares are whole numbers, and none is nearer by rounding.
    weights = [(step / unit) ** 2 for step in ball.steps]
    count, depth, height, width = pixels.shape
    # Loops are compiled for few types; of labels below 0, if there are any, all are larger than those above.
    labels = np.ascontiguousarray(pixels).view(f"u{pixels.dtype.itemsize}")
    found = np.empty((count, depth, height, width - 2 * ball.reach[2]), labels.dtype)
    squares = np.empty(found.shape)
    nearest_in_rows(labels, ball.reach[2], weights[2], squares, found)
    for axis in (1, 0):
        if not ball.reach[axis]:
            continue
        shape = list(found.shape)
        shape[axis + 1] -= 2 * ball.reach[axis]
        # Before the axis, the axis, behind it.
        before, behind = int(np.prod(shape[: axis + 1])), int(np.prod(shape[axis + 2 :]))
        given = squares.reshape(before, -1, behind), found.reshape(before, -1, behind)
        made = np.empty((before, shape[axis + 1], behind)), np.empty((before, shape[axis + 1], behind), labels.dtype)
        nearest_of_rows(*given, ball.reach[axis], weights[axis], *made)
        squares, found = made[0].reshape(shape), made[1].reshape(shape)
    return np.where(squares * unit**2 <= 1 + SLACK, found, labels.dtype.type(0)).view(pixels.dtype)
