"""The folders of the temporary files of workers."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from time import time

PREFIX = "diascope-reader-"

YOUNG = 60.0
"""Seconds within which a folder may have been made and not been locked."""


class Folder:
    """A new folder, locked for as long as the process that made it lives."""

    def __init__(self) -> None:
        self.path = mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        self._lock = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def forget(self) -> None:
        """Let go of it, wherever it is."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def sweep() -> None:
    """Remove the folders of processes that were killed, and could not do so themselves."""
    for path in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            status = path.lstat()
            if status.st_uid == os.getuid() and time() - status.st_mtime > YOUNG and not path.is_symlink():
                _remove_if_forsaken(path)


def _remove_if_forsaken(path: Path) -> None:
    """Raises BlockingIOError where its process lives."""
    lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
