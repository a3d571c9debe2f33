"""Pixels that are written as numbers in a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.stores.store import Blob

LONGEST = 1 << 26
"""A longer text is refused: it is read whole, and kept."""
WINDOW = 1 << 20
SPACES = b" \t\r\n\v\f"

Decode = Callable[[Blob, int, int, np.dtype[Any]], bytes]


@dataclass(slots=True)
class NumberText:
    """The bytes of the pixels that a text from ``start`` on stands for, made when they are first asked for."""

    blob: Blob
    start: int
    count: int
    dtype: np.dtype[Any]
    decode: Decode
    _data: bytes | None = None
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        size = self.blob.stat.size - self.start
        if size > LONGEST:
            raise Unreadable(f"a text of {size} bytes is over the limit of {LONGEST}")
        if self.count > size:
            raise Unreadable(f"{size} bytes of text cannot be {self.count} numbers")

    def read(self, start: int, stop: int) -> bytes:
        with self._lock:
            if self._data is None:
                self._data = self.decode(self.blob, self.start, self.count, self.dtype)
            return self._data[start:stop]


def decimals(blob: Blob, start: int, count: int, dtype: np.dtype[Any]) -> bytes:
    """Numbers between white space or commas."""
    out = np.empty(count, dtype)
    at, rest = 0, b""
    while at < count:
        data = blob.read(start, start + WINDOW)
        start += len(data)
        words = (rest + data).replace(b",", b" ")
        cut = max(map(words.rfind, (bytes([space]) for space in SPACES))) if data else len(words)
        numbers, rest = words[: max(cut, 0)].split(), words[max(cut, 0) :]
        taken = numbers[: count - at]
        out[at : at + len(taken)] = np.array(taken, "S").astype(dtype) if taken else []
        at += len(taken)
        if not data and at < count:
            raise Unreadable(f"the text has {at} of {count} numbers")
    return out.tobytes()


def hexadecimals(blob: Blob, start: int, count: int, dtype: np.dtype[Any]) -> bytes:
    """Two digits a byte, white space anywhere."""
    text = blob.read(start, blob.stat.size).translate(None, SPACES)[: 2 * count * dtype.itemsize]
    data = bytes.fromhex(text.decode("ascii"))
    if len(data) < count * dtype.itemsize:
        raise Unreadable(f"the text has {len(data)} of {count * dtype.itemsize} bytes")
    return data
