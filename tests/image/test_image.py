"""An image is sliced as numpy would slice its finest level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from diascope.errors import BadRequest
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory, padded, read_whole
from diascope.image.order import moved
from diascope.image.region import Region
from diascope.testing.synthetic import ramp

SHAPE = (3, 4, 11, 13)
IMAGE = ramp("czyx", SHAPE)
ARRAY = read_whole(IMAGE.levels[0])


@settings(max_examples=200, deadline=None)
@given(hnp.basic_indices(SHAPE, allow_newaxis=False, allow_ellipsis=True))
def test_every_basic_index_gives_what_numpy_gives(index: Any) -> None:
    np.testing.assert_array_equal(IMAGE[index], ARRAY[index])


@pytest.mark.parametrize("index", [3, (0, 0, 0, 13), (0,) * 5, (..., ...), -4])
def test_indices_out_of_bounds_are_refused_as_numpy_does(index: Any) -> None:
    with pytest.raises(IndexError):
        IMAGE[index]


@pytest.mark.parametrize("names", ["xy", "zy", "yxt", "yyx", "cyxa"])
def test_axes_in_another_order_are_refused(names: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        Image(name="i", kind="intensity", axes=axes_named(names), levels=(in_memory(np.zeros((2,) * len(names))),))


def test_a_region_outside_is_refused_and_a_padded_one_is_zero_there() -> None:
    level = IMAGE.levels[0]
    with pytest.raises(BadRequest, match="does not lie inside"):
        level.read(Region((0, 0, 0, 0), (1, 1, 12, 13)))
    pixels = padded(level, Region((2, 3, 10, 12), (4, 4, 13, 14)))
    assert pixels.shape == (2, 1, 3, 2)
    assert pixels[0, 0, 0, 0] == ARRAY[2, 3, 10, 12]
    assert pixels.sum() == ARRAY[2, 3, 10, 12]


@given(st.permutations("tczyx"), st.permutations("tczyx"))
def test_axes_are_moved_by_name(names: list[str], to: list[str]) -> None:
    sizes = {"t": 2, "c": 3, "z": 4, "y": 5, "x": 6}
    pixels = np.arange(720).reshape([sizes[name] for name in names])
    result = moved(pixels, "".join(names), "".join(to))
    assert result.shape == tuple(sizes[name] for name in to)
    np.testing.assert_array_equal(moved(result, "".join(to), "".join(names)), pixels)


def test_moving_adds_and_drops_axes_of_length_one() -> None:
    pixels = np.arange(6).reshape(1, 2, 3)
    assert moved(pixels, "zyx", "xy").shape == (3, 2)
    assert moved(pixels, "zyx", "tyxc").shape == (1, 2, 3, 1)
