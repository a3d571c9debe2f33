"""Packed bytes that are cut off, or unpack to another size, are told from whole ones as far as their codec tells."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from numcodecs.zstd import Zstd

from diascope.sources.reading.packed.sound import is_sound

RANDOM = np.random.default_rng(0)


def zstd(level: int, *, checksum: bool = False) -> Callable[[bytes], bytes]:

    return lambda data: bytes(Zstd(level=level, checksum=checksum).encode(data))


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "raw": ("raw", bytes),
    "blosc": ("blosc", lambda data: bytes(imagecodecs.blosc_encode(data, numthreads=1))),
    "gzip": ("gzip", lambda data: gzip.compress(data, 1)),
    "zstd": ("zstd", zstd(3)),
    "zstd with a checksum": ("zstd", zstd(3, checksum=True)),
}
SIZES = (1, 30, 255, 256, 65_535, 65_791, 65_792, 400_000)


@pytest.mark.parametrize("kind", ["noise", "zeros"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", PACKED)
def test_what_is_whole_is_sound_and_what_is_not_is_not(case: str, size: int, kind: str) -> None:
    codec, packed = PACKED[case]
    data = packed(RANDOM.bytes(size) if kind == "noise" else bytes(size))
    assert is_sound(codec, data, size)
    assert not is_sound(codec, data, size + 1)
    assert not is_sound(codec, data + b"\0", size)
    for end in {0, 1, 3, 5, 10, len(data) // 2, len(data) - 1} & set(range(len(data))):
        assert not is_sound(codec, data[:end], size), end


def test_a_stream_of_zlib_is_told_by_its_head_alone() -> None:
    assert is_sound("zlib", zlib.compress(bytes(1000)), 1000)
    assert not is_sound("zlib", zlib.compress(bytes(1000))[:6], 1000)
    assert not is_sound("zlib", gzip.compress(bytes(1000)), 1000)


def test_of_other_codecs_nothing_is_known() -> None:
    assert not is_sound("lz4", bytes(imagecodecs.lz4_encode(bytes(100), header=True)), 100)


def test_zstd_without_a_size_is_not_told() -> None:
    stream = bytes(imagecodecs.zstd_encode(bytes(1000)))
    hidden = stream[:4] + b"\x00\x58" + stream[6 + 1 :]  # a window instead of the size
    assert not is_sound("zstd", hidden, 1000)


@pytest.mark.parametrize("codec", ["blosc", "gzip", "zstd", "zlib"])
def test_noise_is_never_sound(codec: str) -> None:
    assert not any(is_sound(codec, RANDOM.bytes(64), 64) for _ in range(1000))
