"""The chunks that chunked formats are served in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diascope.image.axes import axes_named
from diascope.image.grid import LARGEST, SLENDER, SMALLEST, served_chunk_shape
from diascope.image.level import Level
from diascope.image.region import Ints


def level(shape: Ints, chunk_shape: Ints, dtype: Any = np.uint16) -> Level:
    def read_pixels(_: Any) -> Any:
        raise AssertionError

    ones, zeros = (1.0,) * len(shape), (0.0,) * len(shape)
    return Level(
        shape=shape,
        dtype=np.dtype(dtype),
        chunk_shape=chunk_shape,
        scale=ones,
        translation=zeros,
        read_pixels=read_pixels,
    )


@pytest.mark.parametrize(
    ("axes", "shape", "own", "served"),
    [
        ("zyx", (300, 500, 700), (300, 500, 700), (64, 64, 64)),
        ("zyx", (300, 500, 700), (1, 500, 700), (1, 500, 512)),
        ("zyx", (300, 500, 700), (16, 128, 128), (16, 128, 128)),
        ("yx", (5000, 7000), (5000, 7000), (512, 512)),
        ("yx", (5000, 7000), (256, 256), (256, 256)),
        ("yx", (37, 53), (37, 53), (37, 53)),
        ("yx", (1, 1), (1, 1), (1, 1)),
        ("tczyx", (9, 4, 30, 2000, 2000), (1, 1, 1, 512, 512), (1, 1, 1, 512, 512)),
        ("cyx", (3, 5000, 7000), (3, 256, 256), (1, 256, 256)),
    ],
)
def test_the_grid_is_the_levels_own_where_that_serves_well(axes: str, shape: Ints, own: Ints, served: Ints) -> None:
    assert served_chunk_shape(axes_named(axes), level(shape, own)) == served


def test_small_tiles_are_doubled() -> None:
    shape = served_chunk_shape(axes_named("yx"), level((5000, 7000), (64, 64), np.uint8))
    assert shape == (256, 256)


def test_large_tiles_are_halved() -> None:
    shape = served_chunk_shape(axes_named("yx"), level((50_000, 70_000), (8192, 8192)))
    assert shape == (1024, 2048)


def test_a_side_of_many_channels_is_cut() -> None:
    shape = served_chunk_shape(axes_named("cyx"), level((40, 5000, 5000), (1, 512, 512)), channels=40)
    assert shape[0] == 1
    assert 40 * 2 * shape[1] * shape[2] <= LARGEST


@pytest.mark.parametrize("own", [(1, 20_000), (8, 20_000), (8, 3000), (10_000, 3), (1, 1), (20_000, 20_000)])
def test_no_chunk_is_a_strip_too_small_or_too_large(own: Ints) -> None:
    rows, columns = served_chunk_shape(axes_named("yx"), level((20_000, 20_000), own))
    assert SMALLEST <= 2 * rows * columns <= LARGEST
    assert max(rows, columns) <= SLENDER * min(rows, columns)


def test_no_side_is_longer_than_the_level() -> None:
    assert served_chunk_shape(axes_named("zyx"), level((3, 5, 100_000), (64, 64, 64)))[:2] == (3, 5)
