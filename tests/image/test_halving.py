"""Means and modes of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from diascope.image.halving import means, modes


def blocks(pixels: Any, factors: tuple[int, ...]) -> Any:
    """Every block as an array, by its place: the plainest reading of what halving means."""
    shape = tuple(-(-n // f) for n, f in zip(pixels.shape, factors, strict=True))
    for place in np.ndindex(shape):
        box = tuple(slice(i * f, (i + 1) * f) for i, f in zip(place, factors, strict=True))
        yield place, shape, pixels[box].ravel()


@st.composite
def cases(draw: Any, dtypes: Any) -> Any:
    factors = draw(st.lists(st.sampled_from([1, 2]), min_size=1, max_size=3).map(tuple))
    shape = draw(hnp.array_shapes(min_dims=len(factors), max_dims=len(factors), max_side=5))
    return draw(hnp.arrays(draw(dtypes), shape)), factors


@settings(max_examples=150, deadline=None)
@given(cases(st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])))
def test_means_of_integers_are_exact_and_rounded_half_up(case: Any) -> None:
    pixels, factors = case
    result = means(pixels, factors)
    assert result.dtype == pixels.dtype
    for place, shape, block in blocks(pixels, factors):
        assert result.shape == shape
        total, count = sum(map(int, block)), len(block)
        assert int(result[place]) == (2 * total + count) // (2 * count)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_large_planes_are_exact_however_they_lie_in_memory(dtype: Any, order: tuple[int, ...]) -> None:
    limits = np.iinfo(dtype)
    pixels = np.random.default_rng(1).integers(limits.min, limits.max, (6, 258, 130), dtype, endpoint=True)
    pixels[0, :100, :100] = limits.max
    pixels = pixels.transpose(order)
    total = sum(pixels[:, y::2, x::2].astype(np.int64) for y in (0, 1) for x in (0, 1))
    found = means(pixels, (1, 2, 2))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, (2 * total + 4) // 8)


@settings(max_examples=100, deadline=None)
@given(cases(st.sampled_from([np.uint8, np.uint64, np.bool_])))
def test_modes_are_the_most_frequent_and_never_a_new_value(case: Any) -> None:
    pixels, factors = case
    result = modes(pixels, factors)
    assert result.dtype == pixels.dtype
    for place, _, block in blocks(pixels, factors):
        values, counts = np.unique(block, return_counts=True)
        assert result[place] in values
        if len(block) == 2 ** sum(f == 2 for f in factors):
            assert counts[values == result[place]][0] == counts.max()


def test_of_equally_frequent_labels_the_first_in_c_order_wins() -> None:
    assert modes(np.array([[7, 3], [3, 7]]), (2, 2)).item() == 7


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64])
def test_means_of_floats_keep_their_type(dtype: Any) -> None:
    pixels = np.array([[1, 2, 5], [3, 4, 6]], dtype)
    result = means(pixels, (2, 2))
    assert result.dtype == dtype
    np.testing.assert_allclose(result, [[2.5, 5.5]])


def test_the_mean_of_booleans_is_the_majority() -> None:
    pixels = np.array([[True, False, False, False], [True, False, False, True]])
    np.testing.assert_array_equal(means(pixels, (2, 2)), [[True, False]])
