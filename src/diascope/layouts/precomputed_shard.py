"""Shards: files that each hold many chunks of a Neuroglancer precomputed volume.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/sharded.md, without compression and with
the hash that changes nothing. The code of a chunk has its shard in the upper bits, then its minishard; the lowest ones
tell it from the others in there. Numbers are of 64 bits, little-endian, and offsets count from the end of the index ::

    index             for each minishard where its own begins and ends
    minishard index   codes, starts and sizes of its chunks: the codes each less the one before it, the starts each
                      less the end of the chunk before it
    …
    chunks            by code, without gaps
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, NamedTuple, overload

import numpy as np

from diascope.image.morton import Curve, Measure, cells
from diascope.image.region import Ints
from diascope.tree.file import File, whole
from diascope.tree.runs import Run, concatenated

ENTRY = 16
"""Bytes of a minishard in the index."""
CHUNK_ENTRY = 24
"""Bytes of a chunk in that of its minishard."""

MEDIA_TYPE = "application/octet-stream"


class Sharding(NamedTuple):
    """How many bits of a code are for what, from the upper ones on."""

    shard: int
    minishard: int
    chunk: int

    @property
    def document(self) -> dict[str, Any]:
        """What a scale says of it."""
        return {
            "@type": "neuroglancer_uint64_sharded_v1",
            "preshift_bits": self.chunk,
            "hash": "identity",
            "minishard_bits": self.minishard,
            "shard_bits": self.shard,
            "minishard_index_encoding": "raw",
            "data_encoding": "raw",
        }


LONG = 9
"""Bits of the codes in a minishard, unless shards have more than twice as many."""


def sharding(bits: int, chunk_size: int, shard_size: int, most: int = 64) -> Sharding:
    """Of codes of so many bits: shards of so many bytes at most, unless there were more than ``2**most`` of them."""
    fitting = max(1, shard_size // chunk_size).bit_length() - 1
    within = min(bits, max(fitting, bits - most))
    chunk = min(within, max(LONG, -(-within // 2)))
    return Sharding(bits - within, within - chunk, chunk)


@dataclass(frozen=True)
class Shards(Sequence[str]):
    """The numbers of the shards that have a chunk, as their files are named, in order."""

    curve: Curve
    sharding: Sharding

    @cached_property
    def _boxes(self) -> Curve:
        """That of the shards."""
        return self.curve.coarser(self.curve.bits - self.sharding.shard)

    def __len__(self) -> int:
        return prod(self._boxes.shape)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[k] for k in range(len(self))[index]]
        return self._name(self._boxes.found(range(len(self))[index], 0, self.sharding.shard, cells)[0])

    def __iter__(self) -> Iterator[str]:
        return self.in_order(lambda _: True)

    def in_order(self, reached: Callable[[str], bool]) -> Iterator[str]:
        """As ``diascope.tree.spelling`` wants it: names of one length are in the order of their numbers."""
        numbers = range(1 << self.sharding.shard)
        first = bisect_left(numbers, True, key=lambda number: reached(self._name(number)))
        return map(self._name, self._boxes.codes(first, len(numbers)))

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self.number(text) is not None

    def number(self, text: str) -> int | None:
        """That of a name, None where it is not the canonical one of a shard."""
        if len(text) > 16 or not set(text) <= set("0123456789abcdef") or not text:
            return None
        number = int(text, 16)
        inside = number < 1 << self.sharding.shard and self._name(number) == text
        return number if inside and cells(self._boxes.box(number, 0)) else None

    def _name(self, number: int) -> str:
        return f"{number:0{-(-self.sharding.shard // 4)}x}"


def made_shard(shards: Shards, number: int, chunk: Callable[[Ints], bytes]) -> File:
    """A shard of chunks whose sizes only their making tells: it is made as a whole."""
    return whole(lambda: _made(shards, number, chunk), MEDIA_TYPE)


def _made(shards: Shards, number: int, chunk: Callable[[Ints], bytes]) -> bytes:
    shard = _Shard(shards.curve, shards.sharding, number, cells, lambda *_: b"")
    at, entries, chunks = shard.indices_size, [], []
    for minishard in shard.minishards:
        codes = shard.codes(minishard)
        made = [chunk(shards.curve.index(code)) for code in codes]
        entries.append(_minishard_index(codes, at, list(map(len, made))))
        at += sum(map(len, made))
        chunks += made
    return b"".join([shard.index(0, 0, shard.index_size), *entries, *chunks])


def plain_shard(shards: Shards, number: int, size: Measure, chunk: Callable[[Ints, int, int], bytes]) -> File:
    """A shard of which any range of bytes is made alone.

    ``size`` is that of the chunks in a box of the grid; ``chunk`` gives the bytes from start to stop of one.
    """
    shard = _Shard(shards.curve, shards.sharding, number, size, chunk)
    runs = concatenated(
        [
            Run(1, shard.index_size, shard.index),
            Run(1, shard.indices_size, shard.indices),
            Run(1, shard.chunks_size, shard.chunks),
        ]
    )
    return File(media_type=MEDIA_TYPE, size=runs.length, read=runs.read)


@dataclass(frozen=True)
class _Shard:
    """The three parts of a shard, each read as a piece of a run is."""

    curve: Curve
    sharding: Sharding
    number: int
    size: Measure
    chunk: Callable[[Ints, int, int], bytes]

    @property
    def low(self) -> int:
        """How many bits tell the chunks in here from one another."""
        return self.sharding.minishard + self.sharding.chunk

    @property
    def minishards(self) -> range:
        """Those in here, by the bits that their codes begin with."""
        return range(self.number << self.sharding.minishard, (self.number + 1) << self.sharding.minishard)

    @property
    def index_size(self) -> int:
        return ENTRY << self.sharding.minishard

    @property
    def indices_size(self) -> int:
        return CHUNK_ENTRY * cells(self.curve.box(self.number, self.low))

    @property
    def chunks_size(self) -> int:
        return self.size(self.curve.box(self.number, self.low))

    def before(self, minishard: int, measure: Measure) -> int:
        """How much lies in here before a minishard."""
        return self.curve.before(minishard << self.sharding.chunk, self.low, measure)

    def codes(self, minishard: int) -> list[int]:
        """Those of the chunks in a minishard."""
        return list(
            self.curve.codes(minishard << self.sharding.chunk, (minishard + 1) << self.sharding.chunk),
        )

    def index(self, _: int, start: int, stop: int) -> bytes:
        chosen = self.minishards[start // ENTRY : -(-stop // ENTRY)]
        counts = [cells(self.curve.box(minishard, self.sharding.chunk)) for minishard in chosen]
        ends = CHUNK_ENTRY * (self.before(chosen[0], cells) + np.cumsum([0, *counts]))
        data = np.stack([ends[:-1], ends[1:]], axis=-1).astype("<u8").tobytes()
        return data[start % ENTRY : start % ENTRY + stop - start]

    def indices(self, _: int, start: int, stop: int) -> bytes:
        return _joined(start, stop, self._index_from)

    def _index_from(self, start: int, stop: int) -> bytes:
        """The bytes from start to the end of the minishard index that they lie in, or to stop."""
        code, _ = self.curve.found(start // CHUNK_ENTRY, self.number, self.low, cells)
        minishard, codes = code >> self.sharding.chunk, self.codes(code >> self.sharding.chunk)
        begin = CHUNK_ENTRY * self.before(minishard, cells)
        sizes = [self.size(self.curve.box(code, 0)) for code in codes]
        data = _minishard_index(codes, self.indices_size + self.before(minishard, self.size), sizes)
        return data[start - begin : stop - begin]

    def chunks(self, _: int, start: int, stop: int) -> bytes:
        return _joined(start, stop, self._chunk_from)

    def _chunk_from(self, start: int, stop: int) -> bytes:
        """The bytes from start to the end of the chunk that they lie in, or to stop."""
        code, begin = self.curve.found(start, self.number, self.low, self.size)
        end = min(self.size(self.curve.box(code, 0)), begin + stop - start)
        return self.chunk(self.curve.index(code), begin, end)


def _joined(start: int, stop: int, part: Callable[[int, int], bytes]) -> bytes:
    """The bytes from start to stop, of parts that each begin where the one before it ends."""
    parts = []
    while start < stop:
        parts.append(part(start, stop))
        if not parts[-1]:
            break  # fewer than were asked for, which the run they are a piece of notices
        start += len(parts[-1])
    return b"".join(parts)


def _minishard_index(codes: Sequence[int], start: int, sizes: Sequence[int]) -> bytes:
    """Of chunks that follow one another from ``start`` on."""
    table = np.zeros((3, len(codes)), "<u8")
    table[0] = np.diff(codes, prepend=0)
    table[1, :1] = start
    table[2] = sizes
    return table.tobytes()
