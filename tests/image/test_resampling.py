"""What a map that bends space shows, and what reading it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.mapping import IDENTITY, Box, Mapping, mapping
from diascope.image.region import Region, chunk_region, grid_shape
from diascope.image.resampled import Grid
from diascope.image.resampling import through
from diascope.testing.synthetic import ramp
from tests.operations.pictures import noise, pictured


@dataclass(frozen=True)
class Wave:
    """Bends rows."""

    height: float

    def __call__(self, positions: Any) -> Any:
        bent = positions.copy()
        bent[..., 1] += self.height * np.sin(positions[..., 0] / 3)
        return bent

    def inverted(self) -> Wave:
        return Wave(-self.height)


SCALE, FIRST = (1.5, 0.5, 0.25), (3.0, -4.0, 7.0)


def image_of(axes: str, **options: Any) -> Image:
    pixels = noise((8, 50, 70)[-len(axes) :], np.float64)
    return pictured(pixels, axes, scale=SCALE[-len(axes) :], translation=FIRST[-len(axes) :], **options)


def grid_of(image: Image) -> Grid:
    level = image.levels[0]
    return Grid(level.translation, level.scale, level.shape)


@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_a_bent_image_is_that_of_scipy(axes):
    image = image_of(axes)
    result = through(image, Mapping((Wave(1.7),)), grid_of(image), "linear")
    index = np.indices(image.shape).astype(float)
    x = index[-1] * 0.25 + 7
    index[-2] += 1.7 * np.sin(x / 3) / 0.5
    expected = ndimage.map_coordinates(image[...], index, order=1, mode="nearest")
    inside = result[...] != 0
    assert 0.8 < inside.mean() < 1
    np.testing.assert_allclose(result[...][inside], expected[inside], atol=1e-6)


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_bends_and_matrices_in_tiles_are_the_whole(axes, interpolation):
    image = image_of(axes, levels=2)
    turned = np.eye(4)
    turned[:2, :2] = [[0.9, -0.4], [0.3, 0.8]]
    steps = mapping(turned).then(Mapping((Wave(1.7), Box((8, -3, -1), (20, 15, 12)), Wave(-0.5))))
    result = through(image, steps, Grid(FIRST[-len(axes) :], SCALE[-len(axes) :], image.shape), interpolation)
    level = result.levels[0]
    expected = read_whole(level)
    assert 0.2 < (expected != 0).mean() < 0.9
    for tile in [(3, 7, 11), (2, 50, 1), (8, 16, 64)]:
        for index in np.ndindex(*grid_shape(level.shape, tile[-len(axes) :])):
            box = chunk_region(index, tile[-len(axes) :]).clipped(level.shape)
            np.testing.assert_array_equal(level.read(box), expected[box.slices])


def test_a_way_and_its_way_back_are_none():
    there = mapping(np.array([[0.9, 0.2, 0, 3], [0.1, 1.1, 0.3, 0], [0, 0.1, 1.3, 2], [0, 0, 0, 1]]))
    both = there.then(Mapping((Wave(2),))).then(Mapping((Wave(2),)).inverted()).then(there.inverted())
    points = np.random.default_rng(0).normal(0, 10, (50, 3))
    np.testing.assert_allclose(both(points), points, atol=1e-9)
    assert len(there.then(there).steps) == 1
    assert IDENTITY.then(there) == there
    with pytest.raises(Unsupported, match="flattens"):
        mapping(np.diag([1, 0, 1, 1])).inverted()


def test_a_huge_volume_costs_what_a_small_one_does():
    """The pixels that are read for a block do not depend on how large the image is, nor where the block lies."""
    counts = []
    for size in (2_000, 1_000_000):
        shape = (10_000 if size > 2_000 else 200, size, size)
        read: list[Region] = []
        plain = ramp("zyx", shape, np.uint16, levels=4, chunk_shape=(16, 64, 64))
        image = replace(plain, levels=tuple(_counting(level, read) for level in plain.levels))
        matrix = np.eye(4)
        matrix[:3] = [[0.98, -0.17, 0.05, 3.3], [0.17, 0.97, -0.1, 1], [-0.03, 0.02, 0.99, 0.7]]
        result = through(image, mapping(matrix), grid_of(image), "linear")
        assert not read
        for level in result.levels[:4]:
            start = tuple(size // 3 for size in level.shape)
            pixels = level.read(Region(start, tuple(i + 32 for i in start)))
            assert pixels.any()
        counts.append((sum(np.prod(each.shape) for each in read), len(read)))
    (small, small_reads), (huge, huge_reads) = counts
    assert huge <= 1.5 * small
    assert huge_reads <= small_reads + 4


def _counting(level: Any, read: list[Region]) -> Any:
    def read_pixels(region: Region) -> Any:
        read.append(region)
        return level.read(region)

    return replace(level, read_pixels=read_pixels)


@pytest.mark.parametrize("kind", ["intensity", "labels"])
def test_many_planes_behind_one_are_never_held_together(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = ramp("zyx", (1000, 20, 30), kind=kind)
    sizes: list[int] = []

    def counted(region: Region) -> Any:
        sizes.append(int(np.prod(region.shape)))
        return stack.levels[0].read(region)

    seen = replace(stack, levels=(replace(stack.levels[0], read_pixels=counted),))
    thick = Grid((999.0, 0.0, 0.0), (2000.0, 0.5, 0.25), (1, 20, 30))
    whole = read_whole(through(seen, IDENTITY, thick, "linear").levels[0])
    assert max(sizes) == 1000 * 20 * 30
    sizes.clear()
    monkeypatch.setattr("diascope.image.resampling.LARGEST", 1 << 13)
    assert np.array_equal(read_whole(through(seen, IDENTITY, thick, "linear").levels[0]), whole)
    assert max(sizes) <= 1 << 14
    assert sum(sizes) < 5 * 1000 * 20 * 30
