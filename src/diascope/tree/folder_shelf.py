"""A shared cache in a folder: one file an entry, written beside and renamed, the longest unused removed."""

from __future__ import annotations

import os
import stat as modes
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import time
from typing import NamedTuple

FOLDERS = 64
"""Each has its share of the bytes, so that one is tidied up by itself."""
BETWEEN = 32
"""A process looks over a folder after it has written this part of its share, so that several keep the bound too."""
FULL = 0.75
"""So much of its share a folder keeps when it is tidied up."""
LARGEST = 8
"""An entry of more than this part of a share is not kept."""
TOUCHED = 60.0
"""Seconds after which an entry that is read is marked as used again."""
ABANDONED = 600.0
"""Seconds after which a file that was never finished is removed: its process was ended."""
PART = ".part"


class Seen(NamedTuple):
    """A file, by when it was last used."""

    used: float
    size: int
    name: str


@dataclass(slots=True, eq=False)
class FolderShelf:
    """Entries in a folder that belongs to whoever runs this, for any number of processes, up to so many bytes."""

    folder: Path
    max_bytes: int
    _written: dict[str, int] = field(default_factory=dict)
    """Bytes that this process has written by folder since it was looked over."""
    _numbers: count[int] = field(default_factory=count)

    @property
    def told(self) -> str:
        return f"in {self.folder}"

    @property
    def _share(self) -> int:
        return self.max_bytes // FOLDERS

    def read(self, key: str, most: int) -> bytes | None:
        path = self._folder(key) / key
        try:
            # A name that leads elsewhere, or waits for somebody to write, is none of ours.
            number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(number, "rb", buffering=0) as file:
            status = os.fstat(number)
            if not modes.S_ISREG(status.st_mode) or status.st_size > most:
                return None
            data = file.read()
            if time() - status.st_mtime > TOUCHED:
                with suppress(OSError):
                    os.utime(number)
        return data

    def write(self, key: str, data: bytes) -> None:
        if len(data) * LARGEST > self._share:
            return
        folder = self._folder(key)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = folder / f"{key}.{os.getpid()}.{next(self._numbers)}{PART}"
        try:
            number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(data)
            beside.replace(folder / key)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        self._count(folder, len(data))

    def _folder(self, key: str) -> Path:
        return self.folder / f"{int(key[:4], 16) % FOLDERS:02x}"

    def _count(self, folder: Path, size: int) -> None:
        """Tidy up a folder that has been written to for the first time, or much since it was looked over."""
        written = self._written.get(folder.name)
        self._written[folder.name] = size + (written or 0)
        if written is None or (written + size) * BETWEEN > self._share:
            tidy(folder, self._share)
            self._written[folder.name] = 0


def tidy(folder: Path, share: int) -> None:
    """Remove what was abandoned, and where there is more than a part of the share, what has not been used longest."""
    seen, now = [], time()
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process tidies up too
                status = entry.stat(follow_symlinks=False)
                if entry.name.endswith(PART) and now - status.st_mtime < ABANDONED:
                    continue
                used = 0.0 if entry.name.endswith(PART) else status.st_mtime
                seen.append(Seen(used, status.st_blocks * 512 or status.st_size, entry.name))
    over = sum(each.size for each in seen) - int(share * FULL)
    for each in sorted(seen):
        if over <= 0 and each.used:
            break
        with suppress(FileNotFoundError, IsADirectoryError):
            (folder / each.name).unlink()
        over -= each.size
