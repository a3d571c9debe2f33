"""Runs: sizes and places are arithmetic, and only the pieces that a range touches are made."""

from __future__ import annotations

import tracemalloc

import pytest

from diascope.errors import Unreadable
from diascope.tree.runs import Run, concatenated, constant, made


def letters(piece: int) -> bytes:
    return bytes([97 + piece]) * 7


def test_every_range_is_that_slice_of_the_whole():
    runs = concatenated(
        [constant(b"header"), made(5, 7, letters), constant(b""), made(0, 9, letters), constant(b"end")]
    )
    data = runs.read(0, None)
    assert data == b"header" + b"".join(map(letters, range(5))) + b"end"
    assert runs.length == len(data)
    for start in range(len(data) + 3):
        for stop in range(len(data) + 3):
            assert runs.read(start, stop) == data[start:stop]


def test_only_the_pieces_that_a_range_touches_are_made():
    touched: list[int] = []

    def piece(number: int) -> bytes:
        touched.append(number)
        return letters(number % 26)

    runs = concatenated([constant(b"123"), made(10**12, 7, piece)])
    runs.read(3 + 7 * 500 + 6, 3 + 7 * 502 + 1)
    assert touched == [500, 501, 502]


def test_a_run_within_a_run_reads_no_more_than_its_range():
    inner = concatenated([made(10**6, 5, lambda number: b"%05d" % (number % 10**5))])
    asked: list[tuple[int, int]] = []

    def read(piece: int, start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return inner.read(start, stop)

    runs = concatenated([Run(10**9, inner.length, read)])
    assert runs.read(inner.length * 3 + 10, inner.length * 3 + 20) == b"0000200003"
    assert asked == [(10, 20)]


def test_memory_does_not_grow_with_the_file():
    tracemalloc.start()
    runs = concatenated([made(10**15, 10**6, lambda _: bytes(10**6))])
    assert runs.length == 10**21
    for k in range(20):
        start = runs.length * k // 20 + k
        assert runs.read(start, start + 100) == bytes(100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_a_piece_of_the_wrong_size_is_trouble():
    runs = concatenated([made(3, 7, lambda _: b"short")])
    with pytest.raises(Unreadable, match="7 bytes"):
        runs.read(0, 7)
