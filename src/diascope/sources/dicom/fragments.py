"""Where the frames of encapsulated pixels stand (DICOM PS3.5, A.4).

FFFE,E000  length  offsets of frames, or nothing
FFFE,E000  length  a fragment of a frame
...
FFFE,E0DD  0
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

import numpy as np

from diascope.errors import Unreadable
from diascope.sources.dicom.file import Instance
from diascope.sources.dicom.values import value
from diascope.stores.store import Blob

ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
HEADER = 8

STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\x0a", b"\x00\x00\x00\x0cJXL ", b"\x00\x00\x00\x0cjP  ")
"""What a compressed frame begins with: JPEG and JPEG-LS, JPEG 2000, JPEG XL."""

LOOK_AHEAD = 1 << 16
"""The headers of fragments smaller than this are read many at once."""


class Run(NamedTuple):
    """The bytes from the first fragment of a frame to the end of its last."""

    start: int
    stop: int


class Fragment(NamedTuple):
    start: int
    """Of its header."""
    size: int


@dataclass(slots=True, eq=False)
class Fragments:
    """The frames of a file, whose places are found out when the first one is read."""

    file: Instance
    frames: int
    _lock: Lock
    _runs: list[Run] | None = None

    def bytes(self, frame: int) -> bytes:
        """The fragments of a frame, joined."""
        blob = self.file.open()
        run = self._found(blob)[frame]
        if not 0 < run.start < run.stop <= blob.stat.size:
            raise Unreadable(f"frame {frame} is said to lie between the bytes {run.start} and {run.stop}")
        raw = blob.read(run.start, run.stop)
        parts = []
        at = 0
        while at + HEADER <= len(raw) and raw[at : at + 4] == ITEM:
            size = int.from_bytes(raw[at + 4 : at + HEADER], "little")
            parts.append(raw[at + HEADER : at + HEADER + size])
            at += HEADER + size
        if not parts or at > run.stop - run.start or len(raw) < run.stop - run.start:
            raise Unreadable(f"frame {frame} is not where it should be")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _found(self, blob: Blob) -> list[Run]:
        with self._lock:
            if self._runs is None:
                self._runs = _runs(self.file, blob, self.frames)
            return self._runs


def _runs(file: Instance, blob: Blob, frames: int) -> list[Run]:
    place = file.place
    if place is None or blob.read(place.start, place.start + 4) != ITEM:
        raise Unreadable("its pixels do not begin with a table of offsets")
    size = int.from_bytes(blob.read(place.start + 4, place.start + HEADER), "little")
    first = place.start + HEADER + size
    if first > blob.stat.size:
        raise Unreadable("its table of offsets is longer than the file")
    extended = _extended(file, frames)
    if extended is not None:
        return [Run(first + start, first + start + HEADER + length) for start, length in extended]
    table = np.frombuffer(blob.read(place.start + HEADER, first)[: size // 4 * 4], "<u4").tolist()
    if len(table) == frames and table[0] == 0 and all(a < b for a, b in pairwise(table)):
        starts = [first + offset for offset in table]
        return [*map(Run, starts[:-1], starts[1:]), Run(starts[-1], _end(blob, starts[-1]))]
    return _grouped(blob, list(_scanned(blob, first)), frames)


def _extended(file: Instance, frames: int) -> list[tuple[int, int]] | None:
    """Offsets and lengths of the extended table (C.7.6.3.1.8), None without a whole one; each frame is one fragment."""
    tables = []
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        raw = value(file.data, keyword)
        if not isinstance(raw, bytes) or len(raw) != 8 * frames:
            return None
        tables.append(np.frombuffer(raw, "<u8").tolist())
    return [(start, length + length % 2) for start, length in zip(*tables, strict=True)]


def _end(blob: Blob, start: int) -> int:
    """Where the fragments that begin here end."""
    end = start
    for fragment in _scanned(blob, start):
        end = fragment.start + HEADER + fragment.size
    return end


def _scanned(blob: Blob, start: int) -> Iterator[Fragment]:
    """The fragments from here to the delimiter, or to the end of a file that lacks it."""
    page, first = b"", start
    while start + HEADER <= blob.stat.size:
        if not first <= start <= first + len(page) - HEADER:
            page, first = blob.read(start, start + (LOOK_AHEAD if page else 1 << 10)), start
        header = page[start - first : start - first + HEADER]
        if header[:4] != ITEM:
            if header[:4] != END:
                raise Unreadable(f"at byte {start} there is no fragment of a frame")
            return
        size = int.from_bytes(header[4:], "little")
        if start + HEADER + size > blob.stat.size:
            raise Unreadable(f"a fragment at byte {start} reaches over the end of the file")
        yield Fragment(start, size)
        start += HEADER + size


def _grouped(blob: Blob, found: list[Fragment], frames: int) -> list[Run]:
    """Each frame one fragment, one frame all of them, or frames that begin where compressed pixels do."""
    if len(found) != frames and frames > 1:
        begins = [k for k, each in enumerate(found) if _begins(blob, each)]
        if len(begins) != frames or begins[0] != 0:
            raise Unreadable(f"its {len(found)} fragments cannot be told to be {frames} frames")
    else:
        begins = list(range(len(found)))[: frames if len(found) == frames else 1]
    if not found:
        raise Unreadable("it has no fragment of a frame")
    ends = [*begins[1:], len(found)]
    return [
        Run(found[a].start, found[b - 1].start + HEADER + found[b - 1].size) for a, b in zip(begins, ends, strict=True)
    ]


def _begins(blob: Blob, fragment: Fragment) -> bool:
    start = fragment.start + HEADER
    return blob.read(start, start + 8).startswith(STARTS)
