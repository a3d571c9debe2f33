"""Which level of a pyramid each subblock belongs to, and whether a level has all that the finest has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diascope.image.region import Ints
from diascope.sources.czi.directory import Column, Subblocks

SLACK = 0.25
"""By how much of a step a tile may be reduced more or less than its level: its sides were rounded."""

RASTER = 256
"""Rows and columns of the raster on which levels are compared."""

MISSED = 0.002
"""The part of it that a level may leave out, along the edges that were rounded."""


def steps(table: Subblocks, minification: int) -> Column:
    """How many times each tile is reduced by the minification; -1 where it is by something else."""
    wide = table.width >= table.height
    ratio = np.where(wide, table.width / table.stored_width, table.height / table.stored_height)
    exact = np.log(np.maximum(ratio, 1e-9)) / np.log(minification)
    step = np.rint(exact).astype(np.int64)
    is_whole = (table.width == table.stored_width) & (table.height == table.stored_height)
    is_close = (np.abs(exact - step) <= SLACK) & (step > 0)
    return np.where(is_whole, 0, np.where(is_close, step, -1))


def covers(finest: Subblocks, level: Subblocks, box: Ints) -> bool:
    """Whether a level has the planes of the finest and pixels where that has some."""
    planes = [{tuple(row) for row in np.unique(_planes(each), axis=0).tolist()} for each in (finest, level)]
    if not planes[0] <= planes[1]:
        return False
    missed = _raster(finest, box) & ~_raster(level, box)
    return bool(missed.mean() <= MISSED)


def _planes(table: Subblocks) -> Column:
    return np.stack([table.along(letter) for letter in "TCZ"], axis=1)


def _raster(table: Subblocks, box: Ints) -> NDArray[np.bool_]:
    """Where the tiles cover the centres of the cells of a raster laid over the image."""
    top, left, height, width = box
    rows = np.stack([table.y - top, table.y + table.height - top], axis=1) * RASTER / height
    columns = np.stack([table.x - left, table.x + table.width - left], axis=1) * RASTER / width
    cells = np.unique(np.clip(np.ceil(np.hstack([rows, columns]) - 0.5), 0, RASTER).astype(np.int64), axis=0)
    raster = np.zeros((RASTER, RASTER), bool)
    for first_row, stop_row, first_column, stop_column in cells.tolist():
        raster[first_row:stop_row, first_column:stop_column] = True
    return raster
