"""The bounded cache."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from diascope.bounded import ENTRY, BoundedCache, Part


def cache(max_bytes: int) -> BoundedCache[bytes]:
    return BoundedCache(max_bytes, weigh=len)


def test_a_value_is_made_once_however_many_threads_ask() -> None:
    values, made, gate = cache(100), [], threading.Event()

    def make() -> bytes:
        made.append(1)
        gate.wait(5)
        return b"value"

    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(values.get, "key", make) for _ in range(16)]
        gate.set()
        assert {each.result() for each in asked} == {b"value"}
    assert len(made) == 1


def test_it_keeps_no_more_bytes_than_its_bound_and_forgets_the_longest_unused() -> None:
    values = cache(10)
    for key in "abc":
        values.get(key, lambda: b"12345")
    assert values.bytes == 10
    assert len(values) == 2
    values.get("b", lambda: pytest.fail("b was used last but one and must be there"))
    assert values.get("a", lambda: b"again") == b"again"


def test_a_value_heavier_than_the_whole_is_handed_out_and_not_kept() -> None:
    values = cache(3)
    assert values.get("key", lambda: b"1234") == b"1234"
    assert values.bytes == 0


def test_an_error_reaches_everyone_who_waits_and_the_next_one_tries_again() -> None:
    values, gate = cache(100), threading.Event()

    def fail() -> bytes:
        gate.wait(5)
        raise ValueError("no luck")

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(values.get, "key", fail) for _ in range(4)]
        gate.set()
        for each in asked:
            with pytest.raises(ValueError, match="no luck"):
                each.result()
    assert values.get("key", lambda: b"fine") == b"fine"


def fill(values: BoundedCache[bytes], keys: range) -> None:
    for key in keys:
        values.get(key, lambda: bytes(10))


def test_who_reads_a_whole_volume_once_does_not_push_out_what_everybody_looks_at() -> None:
    values = cache(1000)
    for _ in range(3):
        fill(values, range(50))
    fill(values, range(1000, 3000))
    for key in range(50):
        values.get(key, lambda: pytest.fail("what was asked for again and again must be there"))
    assert values.bytes <= 1000


def test_what_was_dropped_too_soon_and_comes_again_stays() -> None:
    values = cache(1000)
    fill(values, range(100))
    fill(values, range(100, 110))
    fill(values, range(10))
    fill(values, range(1000, 1200))
    for key in range(10):
        values.get(key, lambda: pytest.fail("it came a second time and must be there"))


def test_what_nobody_asks_for_any_more_goes_however_much_it_was_asked_for() -> None:
    values = cache(1000)
    for _ in range(10):
        fill(values, range(100))
    for start in range(1000, 1500, 50):
        for _ in range(4):
            fill(values, range(start, start + 50))
    assert not [key for key in range(100) if key in values]


def test_the_bound_can_be_lowered_and_what_is_over_it_goes() -> None:
    values = cache(1000)
    fill(values, range(100))
    values.limit(55)
    assert values.bytes == 50
    assert len(values) == 5
    fill(values, range(200, 300))
    assert values.bytes <= 55


def test_what_is_discarded_takes_no_room_and_is_made_again() -> None:
    values = cache(100)
    for _ in range(2):
        fill(values, range(10))
    values.discard(3)
    values.discard("absent")
    assert values.bytes == 90
    assert 3 not in values
    fill(values, range(3, 4))
    assert (values.bytes, len(values), values.misses, values.hits) == (100, 10, 11, 10)


def test_the_weight_is_that_of_the_value_when_it_came() -> None:
    """A value that grows or shrinks must not make the sum drift."""
    values: BoundedCache[bytearray] = BoundedCache(100, weigh=len)
    grown = values.get("a", lambda: bytearray(10))
    grown.extend(bytes(50))
    values.discard("a")
    assert values.bytes == 0


def test_what_is_dropped_is_given_up_outside_the_lock() -> None:
    values: BoundedCache[Closing | int] = BoundedCache(1, weigh=lambda _: 1)
    closed: list[Closing | int] = []
    values.get("a", lambda: Closing(lambda: closed.append(values.get(0, lambda: 1))))
    values.get("b", lambda: Closing(lambda: None))
    assert closed


class Closing:
    """Something that is closed when nobody has it any more."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close

    def __del__(self) -> None:
        self._close()


def test_parts_share_a_bound_and_no_key() -> None:
    whole = cache(10 * ENTRY)
    one, two = Part(whole, weigh=len), Part(whole, weigh=len)
    assert one.get("key", lambda: b"one") == b"one"
    assert two.get("key", lambda: b"two") == b"two"
    assert whole.bytes == 2 * ENTRY + 6
    one.discard("key")
    assert one.get("key", lambda: b"anew") == b"anew"
    for key in range(100):
        two.get(key, lambda: bytes(ENTRY))
    assert whole.bytes <= 10 * ENTRY


def content(key: int) -> bytes:
    return bytes([key % 251]) * (1 + key % 40)


def test_many_threads_that_keep_drop_and_discard_leave_the_sums_right() -> None:
    values = cache(2000)

    def work(seed: int) -> None:
        for step in range(3000):
            key = (seed * 7 + step * step) % 300
            assert values.get(key, partial(content, key))[0] == key % 251
            if step % 11 == 0:
                values.discard(key)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    there = [key for key in range(300) if key in values]
    assert values.bytes == sum(1 + key % 40 for key in there) <= 2000
    for key in there:
        values.discard(key)
    assert values.bytes == 0


def test_who_waits_for_one_that_gives_up_makes_the_value_itself() -> None:
    values, gate = cache(100), threading.Event()
    asked: list[int] = []

    def give_up() -> bytes:
        asked.append(1)
        gate.wait(5)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(values.get, "key", give_up)
        while not asked:
            pass
        others = [pool.submit(values.get, "key", lambda: b"made") for _ in range(3)]
        gate.set()
        assert {each.result(5) for each in others} == {b"made"}
        with pytest.raises(KeyboardInterrupt):
            first.result()
