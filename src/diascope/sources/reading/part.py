"""A part of a stored file, as a file of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from diascope.stores.store import Blob, Stat


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of a blob from ``start`` on, with others before and behind them."""

    blob: Blob
    start: int
    before: bytes = b""
    after: bytes = b""
    stat: Stat = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.before) + max(self.blob.stat.size - self.start, 0) + len(self.after)
        object.__setattr__(self, "stat", replace(self.blob.stat, size=size))

    def read(self, start: int, stop: int) -> bytes:
        stop = min(stop, self.stat.size)
        if start >= stop:
            return b""
        middle, end = len(self.before), self.stat.size - len(self.after)
        pieces = [self.before[start:stop]] if start < middle else []
        if stop > middle and start < end:
            shift = self.start - middle
            pieces.append(self.blob.read(max(start, middle) + shift, min(stop, end) + shift))
        if stop > end:
            pieces.append(self.after[max(start - end, 0) : stop - end])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
