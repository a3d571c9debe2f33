"""zlib streams of filtered rows; zlib and libdeflate are the judges."""

from __future__ import annotations

import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from diascope.encodings import deflate

RUNS = st.lists(st.tuples(st.integers(0, 255), st.integers(1, 700)), min_size=1, max_size=40)


def row(values: object) -> NDArray[np.uint8]:
    return np.asarray(values, np.uint8)


def checked(data: NDArray[np.uint8]) -> bytes:
    """The stream, which both judges read."""
    stream = deflate.encoded(data)
    assert zlib.decompress(stream) == data.tobytes()
    assert imagecodecs.zlib_decode(stream, out=data.size) == data.tobytes()
    assert imagecodecs.deflate_decode(stream, out=data.size) == data.tobytes()
    return stream


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint8, st.integers(1, 300)))
def test_any_bytes_come_back(data: NDArray[np.uint8]) -> None:
    checked(data)


@settings(max_examples=60, deadline=None)
@given(RUNS)
def test_any_runs_come_back(runs: list[tuple[int, int]]) -> None:
    checked(np.concatenate([np.full(length, value, np.uint8) for value, length in runs]))


@pytest.mark.parametrize("length", [*range(1, 40), 255, 256, 257, 264, 265, 272, 4096, deflate.BLOCK + 1])
def test_one_byte_again_and_again_takes_little(length: int) -> None:
    assert len(checked(np.full(length, 7, np.uint8))) < 200 + length // 128


@pytest.mark.parametrize("length", [deflate.BLOCK - 1, deflate.BLOCK, deflate.BLOCK + 8, 3 * deflate.BLOCK + 5])
def test_long_rows_are_several_blocks(length: int) -> None:
    checked(np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8) & np.uint8(31))


def test_noise_takes_no_more_than_itself_and_the_codes() -> None:
    data = np.random.default_rng(0).integers(0, 256, 100_000, dtype=np.uint8)
    assert len(checked(data)) < data.size * 1.01 + 300


def test_codes_are_never_longer_than_they_may_be() -> None:
    """Bytes as frequent as Fibonacci's numbers would have a code of as many bits as there are of them."""
    counts = [1, 1]
    while sum(counts) < deflate.BLOCK:
        counts.append(counts[-1] + counts[-2])
    data = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    checked(np.random.default_rng(1).permutation(data))


def test_streams_do_not_depend_on_what_was_made_before() -> None:
    """Nor on where in memory the bytes are, or whether they may be written to."""
    random = np.random.default_rng(2)
    data = (random.normal(0, 6, 70_001)).astype(np.int8).view(np.uint8)
    stream = checked(data)
    for k in range(20):
        deflate.encoded(row(random.integers(0, 256, 5000 + k)))
        moved = np.empty(data.size + 8, np.uint8)[8:]
        moved[:] = data
        moved.flags.writeable = k % 2 == 0
        assert deflate.encoded(moved) == stream
