"""The lazy array is indexed as numpy is, and reads no more than what numpy is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diascope.image.level import Level, Pixels, read_whole
from diascope.image.region import Region
from diascope.napari.lazy_array import LazyArray, lazy_array
from diascope.testing.synthetic import ramp

SHAPE = (3, 2, 5, 40, 50)
LEVEL = ramp("tczyx", SHAPE, chunk_shape=(1, 1, 2, 16, 16)).levels[0]
WHOLE = read_whole(LEVEL)
KEYS: list[Any] = [
    (),
    ...,
    1,
    -1,
    np.int64(2),
    slice(1, 3),
    (0, 1, 2),
    (0, 1, 2, 3, 4),
    (..., 3),
    (1, ..., slice(4, 30), 7),
    (slice(None), 1, slice(None, None, 2), slice(30, 3, -4), slice(-9, None)),
    (slice(2, 2), 0),
    (slice(100, 200),),
    np.array([2, 0]),
    (0, 0, 0, np.array([3, 1])),
    (slice(None), slice(None), 2, slice(7, 39, 1), slice(0, 50, 1)),
]


def recorded(level: Level) -> tuple[Level, list[Region]]:
    regions: list[Region] = []

    def read_pixels(region: Region) -> Pixels:
        regions.append(region)
        return level.read_pixels(region)

    return replace(level, read_pixels=read_pixels), regions


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_an_index_gives_what_numpy_gives(key: Any) -> None:
    assert np.array_equal(np.asarray(lazy_array(LEVEL, (0, 1, 2, 3, 4))[key]), WHOLE[key])


def test_an_index_of_an_index_in_another_order_with_a_fixed_channel() -> None:
    array = lazy_array(LEVEL, (4, 0, 3, 2), {1: 1})
    expected = WHOLE[:, 1].transpose(3, 0, 2, 1)
    assert array.shape == expected.shape
    assert (array.ndim, array.size, len(array), array.dtype) == (4, expected.size, 50, expected.dtype)
    assert np.array_equal(np.asarray(array[10:45:3][..., 4][2:, 1, ::-1]), expected[10:45:3][..., 4][2:, 1, ::-1])


def test_what_is_indexed_is_read_when_numpy_asks_and_no_more() -> None:
    level, regions = recorded(LEVEL)
    part = lazy_array(level, (0, 2, 3, 4), {1: 0})[:, :, 20:30, 20:30][2, 4]
    assert part.shape == (10, 10)
    assert not regions
    assert np.array_equal(np.asarray(part), WHOLE[2, 0, 4, 20:30, 20:30])
    assert regions == [Region((2, 0, 4, 20, 20), (3, 1, 5, 30, 30))]


def test_several_chunks_are_read_one_by_one_at_the_same_time() -> None:
    level, regions = recorded(LEVEL)
    assert np.array_equal(np.asarray(lazy_array(level, (0, 1, 2, 3, 4))[0, 0, 0]), WHOLE[0, 0, 0])
    assert len(regions) == 3 * 4
    assert all(region.stop[d] - region.start[d] <= 16 for region in regions for d in (3, 4))


def test_the_grid_of_a_whole_level_is_told_and_of_a_part_it_is_not() -> None:
    array = lazy_array(LEVEL, (4, 0, 3, 2), {1: 1})
    assert array.chunks == (16, 1, 16, 2)
    assert array[:40].chunks is None
    assert array[2].chunks == (1, 16, 2)
    assert lazy_array(ramp("yx", (9, 5000), chunk_shape=(9, 5000)).levels[0], (0, 1)).chunks == (9, 1024)


@pytest.mark.parametrize("key", [5, (0, 2), (0,) * 6, (..., ..., 0)], ids=str)
def test_an_index_out_of_bounds_is_refused(key: Any) -> None:
    with pytest.raises(IndexError):
        lazy_array(LEVEL, (0, 1, 2, 3, 4))[key]


def test_booleans_are_bytes() -> None:
    array = lazy_array(ramp("yx", (6, 7), bool).levels[0], (0, 1))
    assert array.dtype == np.asarray(array).dtype == np.uint8
    assert set(np.unique(np.asarray(array))) == {0, 1}


def test_numpy_gets_a_copy_that_may_be_written_to() -> None:
    array = lazy_array(LEVEL, (0, 1, 2, 3, 4))
    assert isinstance(array, LazyArray)
    copy = np.array(array[0, 0, 0], dtype=np.float32)
    copy[:] = 0
    assert np.array_equal(np.asarray(array[0, 0, 0]), WHOLE[0, 0, 0])
