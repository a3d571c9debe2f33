"""Levels that are made on demand."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diascope.image.axes import axes_named
from diascope.image.cache import cached, cached_level, chunk_cache
from diascope.image.halving import means
from diascope.image.image import Image
from diascope.image.level import Level, in_memory, read_whole
from diascope.image.pyramid import dyadic, with_pyramid
from diascope.image.region import Region
from diascope.testing.synthetic import ramp


def positions(level: Level, axis: int) -> Any:
    return level.translation[axis] + level.scale[axis] * np.arange(level.shape[axis])


def test_a_made_level_is_the_mean_of_the_finer_one_at_its_true_place() -> None:
    image = with_pyramid(ramp("zyx", (3, 700, 300), np.float64))
    finest, second = image.levels[:2]
    assert second.shape == (3, 350, 150)
    pixels = read_whole(second)
    np.testing.assert_allclose(pixels, means(read_whole(finest), (1, 2, 2)))
    # The centre of a bin of two lies half a fine pixel after the centre of its first pixel.
    for axis in (1, 2):
        fine = positions(finest, axis)
        np.testing.assert_allclose(positions(second, axis), (fine[0::2] + fine[1::2]) / 2)


def test_a_physical_ramp_stays_the_same_function_of_position_on_every_level() -> None:
    x = np.arange(4096, dtype=np.float64)
    pixels = np.broadcast_to(10 + 0.25 * x, (4, 4096)).copy()
    image = Image(name="r", kind="intensity", axes=axes_named("yx"), levels=(in_memory(pixels, (0.5, 0.5)),))
    for level in with_pyramid(image).levels:
        np.testing.assert_allclose(read_whole(level)[0], 10 + 0.5 * positions(level, 1))


def test_planes_are_binned_only_where_their_spacing_is_known_and_small() -> None:
    close = with_pyramid(ramp("zyx", (8, 600, 600)))
    unknown = replace(close, axes=axes_named("zyx"), levels=close.levels[:1])
    isotropic = replace(close, levels=(replace(close.levels[0], scale=(0.25, 0.25, 0.25)),))
    assert with_pyramid(unknown).levels[1].shape == (8, 300, 300)
    assert with_pyramid(isotropic).levels[1].shape == (4, 300, 300)


def test_any_region_of_a_made_level_equals_the_same_part_of_the_whole() -> None:
    image = with_pyramid(ramp("czyx", (2, 3, 777, 1011), chunk_shape=(1, 1, 100, 64)))
    random = np.random.default_rng(0)
    for level in image.levels:
        whole = read_whole(level)
        for _ in range(10):
            ends = [sorted(random.integers(0, n + 1, 2).tolist()) for n in level.shape]
            region = Region(tuple(a for a, _ in ends), tuple(b for _, b in ends))
            np.testing.assert_array_equal(level.read(region), whole[region.slices])


def test_labels_keep_their_values() -> None:
    labels = np.kron(np.arange(1, 101).reshape(10, 10), np.ones((60, 60), int)).astype(np.uint32)
    image = Image(name="l", kind="labels", axes=axes_named("yx"), levels=(in_memory(labels),))
    for level in with_pyramid(image).levels:
        assert set(np.unique(read_whole(level))) <= set(range(1, 101))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (255, 513), (1000, 3)])
def test_dyadic_sizes_are_ceilings_of_halves_down_to_one_pixel(shape: tuple[int, int]) -> None:
    levels = dyadic(ramp("yx", shape)).levels
    assert levels[-1].shape == (1, 1)
    for k, level in enumerate(levels):
        assert level.shape == tuple(-(-n // 2**k) for n in shape)
        assert read_whole(level).shape == level.shape


def test_dyadic_uses_stored_levels_that_were_rounded_down() -> None:
    full = np.arange(101 * 67, dtype=np.uint16).reshape(101, 67)
    half = full[:100:2, :66:2] + 7
    levels = (in_memory(full), replace(in_memory(half), scale=(2.0, 2.0), translation=(0.5, 0.5)))
    image = Image(name="d", kind="intensity", axes=axes_named("yx"), levels=levels)
    second = dyadic(image).levels[1]
    assert second.shape == (51, 34)
    np.testing.assert_array_equal(read_whole(second), np.pad(half, ((0, 1), (0, 1)), mode="edge"))
    np.testing.assert_array_equal(second.read(Region((50, 33), (51, 34))), half[-1:, -1:])


def test_a_chunk_is_decoded_once_for_all_the_levels_above_it() -> None:
    image = ramp("yx", (2048, 2048), chunk_shape=(256, 256))
    reads: list[Region] = []
    level = image.levels[0]

    def counted(region: Region) -> Any:
        reads.append(region)
        return level.read_pixels(region)

    chunks = chunk_cache(64 << 20)
    counting = replace(image, levels=(replace(level, read_pixels=counted),))
    kept = with_pyramid(cached(counting, chunks, "id"), lambda made, name: cached_level(made, chunks, name))
    for each in reversed(kept.levels):
        read_whole(each)
    assert len(reads) == 64


def test_making_a_coarse_level_takes_memory_for_a_few_chunks_only() -> None:
    image = ramp("yx", (8192, 8192), np.uint8, chunk_shape=(512, 512))
    chunks = chunk_cache(8 << 20)
    kept = with_pyramid(cached(image, chunks, "id"), lambda made, name: cached_level(made, chunks, name))
    tracemalloc.start()
    read_whole(kept.levels[-1])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 << 20, "the whole has 64 MiB"
