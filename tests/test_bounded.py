"""The bounded cache."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from diascope.bounded import BoundedCache


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
