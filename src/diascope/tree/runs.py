"""Large virtual files as runs of pieces of equal size: every offset is arithmetic, any byte range is made alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from diascope.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Run:
    """``pieces`` of them one after another, each of ``size`` bytes."""

    pieces: int
    size: int
    read: Callable[[int, int, int], bytes]
    """``read(piece, start, stop)``: bytes within a piece, ``0 <= start < stop <= size``; nested runs are such reads."""

    @property
    def length(self) -> int:
        """In bytes."""
        return self.pieces * self.size


def constant(data: bytes) -> Run:
    """One piece that is there."""
    return Run(1, len(data), lambda _, start, stop: data[start:stop])


def made(pieces: int, size: int, make: Callable[[int], bytes]) -> Run:
    """Pieces that are each made whole."""
    return Run(pieces, size, lambda piece, start, stop: make(piece)[start:stop])


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs one after another, which need no memory beyond one entry a run."""

    runs: tuple[Run, ...]
    starts: tuple[int, ...]

    @property
    def length(self) -> int:
        """In bytes."""
        return self.starts[-1]

    def read(self, start: int, stop: int | None) -> bytes:
        """The bytes from start to stop, or to the end, making only the pieces that they touch."""
        end = self.length if stop is None else min(stop, self.length)
        parts: list[bytes] = []
        while start < end:
            part = self._part(start, end)
            parts.append(part)
            start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, start: int, stop: int) -> bytes:
        """The bytes from start to the end of the piece that they begin in, or to stop."""
        k = bisect_right(self.starts, start) - 1
        run = self.runs[k]
        piece, at = divmod(start - self.starts[k], run.size)
        end = min(run.size, at + stop - start)
        part = run.read(piece, at, end)
        if len(part) != end - at:
            msg = f"a piece of {run.size} bytes came out with {len(part)} of the {end - at} that were asked for"
            raise Unreadable(msg)
        return part


def concatenated(runs: Sequence[Run]) -> Runs:
    """The runs that have bytes, one after another."""
    kept = tuple(run for run in runs if run.length)
    return Runs(kept, tuple(accumulate((run.length for run in kept), initial=0)))
