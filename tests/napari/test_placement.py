"""Where layers lie: napari's scale, translation and affine give the positions that the image says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diascope.image.affine import affine
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.napari.placement import Placement, placement
from diascope.testing.synthetic import ramp

OBLIQUE = np.array([[0.1, -0.9, 0.2, 5], [0.2, 0.3, -0.95, 6], [0.97, 0.1, 0.25, 7], [0, 0, 0, 1]])
"""x of the image points upwards, y to the left, z backwards."""


def volume(matrix: NDArray[np.float64] | None, unit: str | None = "millimeter", axes: str = "zyx") -> Image:
    units = dict.fromkeys("zyx", unit) if unit else {}
    level = in_memory(np.zeros((4, 5, 6)[-len(axes) :]), (2.0, 0.5, 0.25)[-len(axes) :])
    level = replace(level, translation=(1.0, 2.0, 3.0)[-len(axes) :])
    world = None if matrix is None else affine(matrix, "scanner")
    return Image(
        name="volume",
        kind="intensity",
        axes=axes_named(axes, {name: unit for name, unit in units.items() if unit and name in axes}),
        levels=(level,),
        world=world,
    )


def at(placed: Placement, image: Image, index: dict[str, int]) -> NDArray[np.float64]:
    """Where napari shows a pixel: affine of translation of scale of the layer's own index."""
    own = np.array([index[image.axes[d].name] for d in placed.order], np.float64)
    physical = own * placed.scale + placed.translate
    return physical if placed.affine is None else (placed.affine @ [*physical, 1])[:-1]


def test_without_a_world_axes_keep_their_order_scales_and_units() -> None:
    placed = placement(ramp("tczyx", (2, 3, 4, 5, 6)))
    assert placed.order == (0, 2, 3, 4)
    assert placed.names == ("t", "z", "y", "x")
    assert placed.scale == (1.0, 2.0, 0.5, 0.25)
    assert placed.units == ("second", "micrometer", "micrometer", "micrometer")
    assert placed.affine is None
    assert "affine" not in placed.arguments


@pytest.mark.parametrize("unit", [None, "parsec"])
def test_an_unknown_unit_is_pixels(unit: str | None) -> None:
    assert placement(volume(None, unit)).units == ("pixel",) * 3


@pytest.mark.parametrize(
    "matrix",
    [
        np.diag([1.0, 1, 1, 1]),
        np.diag([-1.0, -1, 1, 1]) + np.eye(4, k=3) * 9,
        OBLIQUE,
        OBLIQUE[[1, 2, 0, 3]],
        OBLIQUE[[2, 0, 1, 3]],
    ],
)
@pytest.mark.parametrize(("unit", "millimetres"), [("millimeter", 1.0), ("micrometer", 1e-3), (None, 1.0)])
def test_a_pixel_lies_where_the_world_has_it(matrix: NDArray[np.float64], unit: str | None, millimetres: float) -> None:
    """The map takes positions in the axes' own units: with micrometres its numbers are a thousand times smaller."""
    scaled = matrix @ np.diag([millimetres, millimetres, millimetres, 1])
    image = volume(scaled, unit)
    placed = placement(image)
    assert placed.units == ("millimeter",) * 3
    assert placed.names == ("z", "y", "x")
    for index in ({"z": 0, "y": 0, "x": 0}, {"z": 3, "y": 1, "x": 4}):
        physical = [index[name] * s + t for name, s, t in (("x", 0.25, 3.0), ("y", 0.5, 2.0), ("z", 2.0, 1.0))]
        world = (scaled @ [*physical, 1])[:3]
        assert np.allclose(at(placed, image, index), world[::-1])


def test_axes_are_turned_to_those_of_the_world_that_they_lie_along() -> None:
    image = volume(OBLIQUE)
    placed = placement(image)
    assert [image.axes[d].name for d in placed.order] == ["x", "z", "y"]
    assert placed.affine is not None
    linear = np.abs(placed.affine[:3, :3])
    assert (linear.argmax(axis=1) == [0, 1, 2]).all()


def test_a_plane_has_the_part_of_the_world_that_it_lies_in() -> None:
    flat = np.array([[0.0, 2, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
    image = volume(flat, axes="yx")
    assert np.allclose(at(placement(image), image, {"y": 3, "x": 1}), [3 + 0.25 + 6, 2 * (2 + 1.5) + 5])
    leaning = flat.copy()
    leaning[2, 0] = 0.5
    assert placement(volume(leaning, axes="yx")).affine is None


def test_a_map_that_flattens_is_left_out() -> None:
    assert placement(volume(np.diag([1.0, 1, 0, 1]))).affine is None


def test_time_is_no_part_of_the_world() -> None:
    image = replace(ramp("tzyx", (2, 4, 5, 6)), world=affine(OBLIQUE, "scanner"))
    placed = placement(image)
    assert placed.order[0] == 0
    assert placed.units[0] == "second"
    assert placed.affine is not None
    assert placed.affine.shape == (5, 5)
    assert placed.affine[0].tolist() == [1, 0, 0, 0, 0]
