"""Chunks that are read before they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest

from diascope.image.cache import cached_level, chunk_cache
from diascope.image.level import Level
from diascope.image.prefetch import Trail, prefetch
from diascope.image.region import Region
from diascope.testing.synthetic import ramp

SLOW = 0.02
"""Seconds: so much that one chunk shows that those of a level are costly."""


class Slow:
    """A level whose chunks take long, and which of them were read by whom."""

    def __init__(self, shape: tuple[int, ...] = (30, 128, 128)) -> None:
        level = ramp("zyx", shape, chunk_shape=(1, 64, 64)).levels[0]
        self.asked: list[tuple[int, ...]] = []
        self.ahead: list[tuple[int, ...]] = []
        self.error: Exception | None = None

        def read_pixels(region: Region) -> Any:
            index = tuple(s // c for s, c in zip(region.start, level.chunk_shape, strict=True))
            is_ahead = threading.current_thread().name == "diascope-prefetch"
            (self.ahead if is_ahead else self.asked).append(index)
            sleep(SLOW)
            if self.error and is_ahead:
                raise self.error
            return level.read_pixels(region)

        self.plain = level
        self.chunks = chunk_cache(1 << 24)
        self.level: Level = cached_level(replace(level, read_pixels=read_pixels), self.chunks, "slow")

    def see(self, *index: int) -> None:
        """A chunk is asked for, and is right."""
        start = tuple(i * c for i, c in zip(index, self.plain.chunk_shape, strict=True))
        region = Region(start, tuple(s + c for s, c in zip(start, self.plain.chunk_shape, strict=True)))
        np.testing.assert_array_equal(self.level.read(region), self.plain.read_pixels(region))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    # On a busy machine the thread that stands back may take long to come to it.
    monkeypatch.setattr("diascope.image.prefetch.STALE", 60)
    prefetch.is_on = True
    try:
        yield Slow()
    finally:
        prefetch.is_on = False


def settle(holds: Callable[[], bool]) -> None:
    end = monotonic() + 5
    while not holds():
        assert monotonic() < end
        sleep(0.002)


def plane(slow: Slow, z: int) -> None:
    for y in range(2):
        for x in range(2):
            slow.see(z, y, x)


def test_who_scrolls_through_planes_finds_the_next_ones_there(slow: Slow) -> None:
    for z in range(3):
        plane(slow, z)
    for z in range(3, 10):
        settle(lambda z=z: all((("slow", (z, y, x)) in slow.chunks) for y in range(2) for x in range(2)))  # type: ignore[misc]
        sleep(4 * SLOW)
        plane(slow, z)
    assert {z for z, _, _ in slow.asked} == {0, 1, 2}
    assert len(slow.ahead) == len(set(slow.ahead)), "none is read twice"
    assert max(z for z, _, _ in slow.ahead) <= 11


def test_who_pans_finds_the_next_column_and_no_further_planes(slow: Slow) -> None:
    wide = Slow((5, 128, 64 * 12))
    for x in range(6):
        for y in range(2):
            wide.see(2, y, x)
        sleep(6 * SLOW)
    assert {(2, 0, 6), (2, 1, 6)} <= set(wide.ahead)
    assert {z for z, _, _ in wide.ahead} == {2}
    assert slow.ahead == []


def test_nothing_is_read_ahead_of_jumps_nor_beyond_the_end(slow: Slow) -> None:
    for z in (3, 17, 9, 21, 0, 12, 25):
        slow.see(z, 0, 0)
    sleep(4 * SLOW)
    assert slow.ahead == []
    for z in (26, 27, 28, 29):
        slow.see(z, 1, 1)
    sleep(6 * SLOW)
    assert set(slow.ahead) <= {(29, 1, 1)}


def test_nothing_is_read_ahead_while_somebody_waits(slow: Slow) -> None:
    other, gate = Trail(), threading.Event()

    def wait() -> None:
        with prefetch.awaited(other):
            gate.wait(10)

    waiting = threading.Thread(target=wait)
    waiting.start()
    for z in range(4):
        slow.see(z, 0, 0)
    sleep(5 * SLOW)
    assert slow.ahead == []
    gate.set()
    waiting.join()
    settle(lambda: (4, 0, 0) in slow.ahead)


def test_what_was_expected_is_forgotten_when_the_direction_changes_or_nobody_came_for_it() -> None:
    trail = Trail()
    assert [trail.after((z, 0)) for z in range(4)] == [
        ([], False),
        ([], False),
        ([(3, 0)], False),
        ([(4, 0), (5, 0)], False),
    ]
    assert trail.after((3, 0)) == ([], False)
    assert trail.after((3, 1)) == ([], False)
    assert trail.after((3, 2)) == ([(3, 3)], True)


def test_without_the_setting_nothing_is_read_ahead(slow: Slow) -> None:
    prefetch.is_on = False
    for z in range(6):
        slow.see(z, 0, 0)
    sleep(4 * SLOW)
    assert slow.ahead == []


def test_trouble_is_told_to_who_asks_for_the_chunk_and_to_nobody_else(slow: Slow) -> None:
    slow.error = ValueError("broken")
    for z in range(3):
        slow.see(z, 0, 0)
    settle(lambda: slow.ahead == [(3, 0, 0)])
    sleep(2 * SLOW)
    slow.error = None
    for z in range(3, 8):
        slow.see(z, 0, 0)
    settle(lambda: (8, 0, 0) in slow.ahead)


def test_chunks_that_are_quickly_read_leave_no_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diascope.image.prefetch.COSTLY", 0.5)
    monkeypatch.setattr(prefetch, "is_on", True)
    quick = Slow()
    for z in range(8):
        quick.see(z, 0, 0)
    sleep(5 * SLOW)
    assert quick.ahead == []
