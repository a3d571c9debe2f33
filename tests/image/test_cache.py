"""The chunk cache around an image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest

from diascope.image.cache import ARRAY, cached, cached_level, chunk_cache, held_bytes
from diascope.image.level import Level, Pixels, in_memory, read_whole
from diascope.image.pyramid import dyadic
from diascope.image.region import Region
from diascope.testing.synthetic import ramp


def test_regions_through_the_cache_equal_regions_without_it() -> None:
    image = ramp("tzyx", (2, 5, 130, 77), chunk_shape=(1, 2, 50, 40))
    kept = cached(image, chunk_cache(1 << 20), "a")
    whole = read_whole(image.levels[0])
    random = np.random.default_rng(1)
    for _ in range(50):
        ends = [sorted(random.integers(0, n + 1, 2).tolist()) for n in image.shape]
        region = Region(tuple(a for a, _ in ends), tuple(b for _, b in ends))
        np.testing.assert_array_equal(kept.levels[0].read(region), whole[region.slices])


def test_two_images_never_swap_chunks() -> None:
    chunks = chunk_cache(1 << 20)
    one = cached(ramp("yx", (64, 64)), chunks, "one")
    two = cached(ramp("yx", (64, 64), np.uint8), chunks, "two")
    assert one[0:2, 0:2].dtype == np.uint16
    assert two[0:2, 0:2].dtype == np.uint8


def test_many_threads_decode_each_chunk_once() -> None:
    image = ramp("yx", (512, 512), chunk_shape=(64, 64))
    reads: list[Region] = []
    level = image.levels[0]

    def counted(region: Region) -> Any:
        reads.append(region)
        return level.read_pixels(region)

    kept = cached(replace(image, levels=(replace(level, read_pixels=counted),)), chunk_cache(8 << 20), "a")
    with ThreadPoolExecutor(8) as pool:
        wholes = list(pool.map(lambda _: read_whole(kept.levels[0]), range(8)))
    assert len(reads) == 64
    for whole in wholes:
        np.testing.assert_array_equal(whole, read_whole(level))


def test_what_is_kept_cannot_be_written_to() -> None:
    kept = cached(ramp("yx", (64, 64)), chunk_cache(1 << 20), "a")
    with pytest.raises(ValueError, match="read-only"):
        kept.levels[0].read(Region((0, 0), (64, 64)))[0, 0] = 1


def counted(level: Level, reads: list[Region]) -> Level:
    def read_pixels(region: Region) -> Any:
        reads.append(region)
        return level.read_pixels(region)

    return replace(level, read_pixels=read_pixels)


def test_levels_that_a_layout_makes_are_made_of_each_other() -> None:
    image = ramp("yx", (1024, 1024), chunk_shape=(256, 256))
    reads: list[Region] = []
    small = dyadic(replace(image, levels=(counted(image.levels[0], reads),)))
    for level in small.levels[:0:-1]:
        read_whole(level)
    assert len(small.levels) == 11
    assert sum(prod(region.shape) for region in reads) == 1024 * 1024, "level 0 is read once for all ten levels"


@pytest.mark.parametrize(
    ("pixels", "held"),
    [
        (np.zeros((10, 10), np.uint16), 200),
        (np.zeros((10, 10), np.uint16)[2:4], 200),
        (np.frombuffer(bytes(1000), np.uint8)[:10], 1000),
        (np.frombuffer(bytearray(1000), np.uint8)[:10], 1000),
        (np.frombuffer(memoryview(bytes(1000))[500:], np.uint8)[:10], 1000),
        (np.asarray(memoryview(np.zeros(1000, np.uint8).data)[5:9]), 1000),
        (np.zeros((10, 10), np.uint16).reshape(100).view(np.uint8)[::2], 200),
    ],
)
def test_a_view_holds_all_that_it_is_a_view_of(pixels: Pixels, held: int) -> None:
    assert held_bytes(pixels) == held + ARRAY


def test_a_small_part_of_a_large_array_is_kept_alone() -> None:
    large = np.arange(1_000_000, dtype=np.uint8).reshape(1000, 1000)
    level = replace(in_memory(large), chunk_shape=(10, 10))
    chunks = chunk_cache(1 << 20)
    kept = cached_level(level, chunks, "a")
    for y in range(0, 100, 10):
        np.testing.assert_array_equal(kept.read(Region((y, 0), (y + 10, 10))), large[y : y + 10, :10])
    assert 10 * 100 < chunks.bytes < 10 * 1000


def test_a_region_over_the_border_of_chunks_and_an_empty_one() -> None:
    kept = cached(ramp("zyx", (3, 50, 50), chunk_shape=(1, 32, 32)), chunk_cache(1 << 20), "a").levels[0]
    whole = read_whole(ramp("zyx", (3, 50, 50)).levels[0])
    for start, stop in [((0, 31, 31), (1, 33, 33)), ((2, 32, 32), (3, 50, 50)), ((0, 32, 0), (2, 50, 32))]:
        region = Region(start, stop)
        np.testing.assert_array_equal(kept.read(region), whole[region.slices])
    assert kept.read(Region((3, 50, 50), (3, 50, 50))).shape == (0, 0, 0)
    assert kept.read(Region((1, 7, 50), (2, 9, 50))).shape == (1, 2, 0)
