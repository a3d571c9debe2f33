"""Resampling to physical positions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory, read_whole
from diascope.image.pyramid import with_pyramid
from diascope.image.resampled import Grid, resampled
from diascope.image.units import named, ratio

RANDOM = np.random.default_rng(5)


def test_it_is_linear_interpolation_as_scipy_has_it() -> None:
    pixels = RANDOM.random((9, 20, 31))
    level = replace(in_memory(pixels, (2.0, 0.5, 0.25)), translation=(1.0, 0.1, -0.2))
    image = Image(name="i", kind="intensity", axes=axes_named("zyx"), levels=(level,))
    grid = Grid((3.3, 0.7, 0.05), (2.1, 0.55, 0.27), (5, 14, 22))
    places = [
        (grid.origin[d] + grid.spacing[d] * np.arange(grid.shape[d]) - level.translation[d]) / level.scale[d]
        for d in range(3)
    ]
    expected = ndimage.map_coordinates(pixels, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    np.testing.assert_allclose(resampled(image, grid), expected, rtol=1e-12)


def test_labels_take_the_nearest_pixel_and_keep_their_type() -> None:
    labels = RANDOM.integers(0, 9000, (12, 12)).astype(np.uint16)
    image = Image(name="l", kind="labels", axes=axes_named("yx"), levels=(in_memory(labels),))
    result = resampled(image, Grid((0.3, 0.3), (1.0, 1.0), (11, 11)))
    np.testing.assert_array_equal(result, labels[:11, :11])
    np.testing.assert_array_equal(resampled(image, Grid((0.5, 0.5), (1.0, 1.0), (11, 11))), labels[1:, 1:])


def test_a_coarse_grid_is_read_from_a_coarse_level() -> None:
    x = np.broadcast_to(np.arange(2048.0), (2048, 2048)).copy()
    image = with_pyramid(Image(name="r", kind="intensity", axes=axes_named("yx"), levels=(in_memory(x),)))
    result = resampled(image, Grid((4.0, 4.0), (8.0, 8.0), (200, 200)))
    np.testing.assert_allclose(result[0], 4.0 + 8.0 * np.arange(200))


def test_the_grid_of_a_level_gives_the_level_itself() -> None:
    image = with_pyramid(
        Image(
            name="r", kind="intensity", axes=axes_named("yx"), levels=(in_memory(RANDOM.integers(0, 255, (600, 300))),)
        )
    )
    level = image.levels[1]
    grid = Grid(level.translation, level.scale, level.shape)
    np.testing.assert_array_equal(resampled(image, grid), read_whole(level))


def test_units_convert() -> None:
    assert named("µm") == "micrometer"
    assert named("Microns") == "micrometer"
    assert named("parsnip") is None
    assert np.isclose(ratio("inch", "millimeter"), 25.4)
