"""Virtual files as outside programs want them: on disk, or as an open file that reads no more than is asked of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from diascope.tree.file import File

ODD = 99_991
"""No multiple of any tile, row or plane."""


def written(file: File, path: Path, step: int = ODD) -> Path:
    """The file on disk, written in ranges of this size; its size must be what it said."""
    assert file.size is not None
    with path.open("wb") as out:
        for start in range(0, file.size, step):
            part = file.read(start, start + step)
            assert len(part) == min(step, file.size - start)
            out.write(part)
    return path


def all_bytes(file: File, step: int = ODD) -> bytes:
    """The same in memory."""
    assert file.size is not None
    data = b"".join(file.read(start, start + step) for start in range(0, file.size, step))
    assert len(data) == file.size
    return data


class RangeFile(io.RawIOBase):
    """An open file of which ranges are read when they are needed."""

    def __init__(self, size: int, read_range: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._read_range = read_range
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        # An array may be handed in as the buffer.
        octets = memoryview(buffer).cast("B")
        data = self._read_range(self._at, min(self._at + len(octets), self._size))
        octets[: len(data)] = data
        self._at += len(data)
        return len(data)


def opened(file: File) -> RangeFile:
    """A virtual file as an open one."""
    assert file.size is not None
    return RangeFile(file.size, file.read)
