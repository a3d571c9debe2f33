"""Thin-plate splines and their way back, beside SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

from diascope.errors import Unsupported
from diascope.image import bending
from diascope.image.mapping import MANY, linear
from diascope.image.spline import spline
from diascope.image.undoing import Undone

RANDOM = np.random.default_rng(3)


def landmarks(axes: int, count: int = 20, by: float = 4) -> tuple[Any, Any]:
    places = RANDOM.uniform(0, 100, (count, axes))
    turned = places @ (np.eye(axes) + 0.1 * RANDOM.normal(size=(axes, axes)))
    return places, 1.3 * turned + 2000 + RANDOM.normal(0, by, (count, axes))


def deep(points: Any) -> Any:
    return np.pad(points, ((0, 0), (0, 3 - points.shape[1])), constant_values=7)


def test_a_matrix_is_the_same_for_one_position_and_for_many():
    for matrix in (np.diag([2, 0.3, -1, 1]), np.vstack([RANDOM.normal(size=(3, 4)), [0, 0, 0, 1]])):
        step = linear(matrix)
        points = RANDOM.normal(0, 1000, (MANY, 3))
        points[3] = [np.nan, 1, np.inf]
        one_by_one = np.concatenate([step(points[k : k + 7]) for k in range(0, MANY, 7)])
        np.testing.assert_array_equal(step(points), one_by_one)


def test_logarithms_are_those_of_the_library():
    numbers = np.concatenate([RANDOM.uniform(0, 10, 5000), 10 ** RANDOM.uniform(-300, 300, 5000)])
    numbers[:4] = [1, 2**0.5, np.nextafter(1, 0), np.nextafter(2**0.5, 2)]
    found, exponents = numbers.copy(), np.empty_like(numbers)
    bending.logarithms(found, found.view(np.int64), exponents, exponents.view(np.int64))
    np.testing.assert_allclose(found, np.log(numbers), rtol=4e-16, atol=1e-16)


@pytest.mark.parametrize("axes", [2, 3])
def test_positions_are_those_of_scipy(axes):
    places, targets = landmarks(axes)
    bent = spline(places, targets)
    points = RANDOM.uniform(-50, 150, (400, axes))
    expected = RBFInterpolator(places, targets, kernel="thin_plate_spline", degree=1)(points)
    np.testing.assert_allclose(bent(deep(points))[:, :axes], expected, atol=1e-8)
    np.testing.assert_allclose(bent(deep(places))[:, :axes], targets, atol=1e-9)
    assert axes == 3 or (bent(deep(points))[:, 2] == 7).all()


def test_landmarks_of_an_affine_map_bend_nothing():
    places = RANDOM.uniform(0, 100, (9, 3))
    matrix, shift = np.array([[0.9, 0.2, 0], [-0.1, 1.2, 0.3], [0.1, 0, 0.8]]), np.array([5, -3, 2])
    bent = spline(places, places @ matrix.T + shift)
    points = RANDOM.uniform(-1000, 1000, (50, 3))
    np.testing.assert_allclose(bent(points), points @ matrix.T + shift, atol=1e-8)
    np.testing.assert_allclose(bent.matrix[:3, :3], matrix, atol=1e-12)


@pytest.mark.parametrize("axes", [2, 3])
def test_a_position_does_not_depend_on_its_neighbours(axes):
    bent = spline(*landmarks(axes))
    points = RANDOM.uniform(-50, 150, (1000, 3))
    points[5] = np.nan
    points[6] = np.inf
    whole = bent(points)
    for start, stop in [(0, 1), (3, 260), (255, 258), (999, 1000), (500, 1000)]:
        np.testing.assert_array_equal(bent(points[start:stop]), whole[start:stop])
    np.testing.assert_array_equal(bent(points.reshape(10, 100, 3)).reshape(-1, 3), whole)
    np.testing.assert_array_equal(bent(np.asfortranarray(points)), whole)
    assert not np.isfinite(whole[5:7, :axes]).any()


@pytest.mark.parametrize("axes", [2, 3])
def test_the_way_back_is_found(axes):
    bent = spline(*landmarks(axes))
    points = RANDOM.uniform(-200, 300, (300, 3))
    points[7] = np.nan
    back = bent.inverted()
    np.testing.assert_allclose(back(bent(points)), points, atol=1e-5)
    np.testing.assert_array_equal(back(bent(points))[30:40], back(bent(points)[30:40]))
    np.testing.assert_allclose(back.inverted()(points), bent(points), atol=1e-9)


def test_a_place_that_nothing_comes_to_is_told():
    class Folded:
        def __call__(self, positions: Any) -> Any:
            return np.abs(positions)

        def inverted(self) -> Any:
            raise NotImplementedError

    back = Undone(Folded(), 1e-6, 1e-9)
    assert back(np.array([[1.0, 2.0, 3.0]])).tolist() == [[1, 2, 3]]
    with pytest.raises(Unsupported, match="no way back was found for 1 of 2 places, such as 1, -2, 3"):
        back(np.array([[1.0, 2.0, 3.0], [1.0, -2.0, 3.0]]))


LINE = np.array([[0, 0], [1, 2], [2, 4], [3, 6.0]])
SQUARE = np.array([[0, 0], [1, 0], [0, 1], [1, 1.0]])


@pytest.mark.parametrize(
    ("places", "targets", "reason"),
    [
        (SQUARE[:2], SQUARE[:2], "too few: 2 axes need 3"),
        (LINE, SQUARE, "fixed landmarks lie on a line"),
        (SQUARE, LINE, "moving landmarks lie on a line"),
        (np.pad(SQUARE, ((0, 0), (0, 1))), np.pad(SQUARE, ((0, 0), (0, 1))), "lie on a plane"),
        (SQUARE[[0, 1, 2, 3, 3]], SQUARE[[0, 1, 2, 3, 2]], "same place"),
        (SQUARE, SQUARE * [1, 0] + [3, 3], "moving landmarks lie on a line"),
        (SQUARE * 0, SQUARE, "lie on a line"),
        (LINE * 1e15 + 1, SQUARE, "lie on a line"),
    ],
)
def test_landmarks_that_tell_too_little_are_refused(places, targets, reason):
    with pytest.raises(ValueError, match=reason):
        spline(places, targets)
