"""The chunk cache around an image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diascope.image.cache import cached, chunk_cache
from diascope.image.level import read_whole
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
