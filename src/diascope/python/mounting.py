"""A tree mounted by a process of its own, for as long as this one wants it.

It has to be another process: what reads a file that is mapped into memory holds this one's interpreter meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from os import PathLike
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from threading import Timer
from types import TracebackType
from typing import IO

from diascope import errors
from diascope.access.mountpoint import freed, library, prepared
from diascope.errors import DiascopeError, Unavailable

PATIENCE = 120.0
"""Seconds until a server has told what lies at its address, and the kernel has the folder."""
GRACE = 15.0
"""Seconds for the process to unmount by itself."""

CHILD = """
import os, signal, threading
def end():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end, daemon=True).start()
from diascope.cli import main
main()
"""
"""The command line, which also ends when nobody holds its input any more: when this process was killed."""


class Mount:
    """What lies at an address as a folder.

    It is unmounted by ``unmount``, at the end of a ``with``, with the last reference to it, and with this process.
    """

    def __init__(self, address: str | PathLike[str], mountpoint: str | PathLike[str] | None = None) -> None:
        library()
        made = None if mountpoint is not None else Path(mkdtemp(prefix="diascope-"))
        self.path = made or Path(os.fspath(mountpoint or "")).absolute()
        """The folder."""
        try:
            process = _started(os.fspath(address), prepared(self.path))
        except BaseException:
            if made:
                made.rmdir()
            raise
        self._end = weakref.finalize(self, _ended, process, self.path, made)

    def unmount(self) -> None:
        """It is no longer there; programs that have files of it open get errors. A second time is none."""
        self._end()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unmount()

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"<{str(self.path)!r}, {'mounted' if self._end.alive else 'unmounted'}>"


def _started(address: str, mountpoint: Path) -> subprocess.Popen[str]:
    """The process that has mounted; raises its error where it has not."""
    command = [sys.executable, "-u", "-c", CHILD, "--debug", "mount", "--", address, str(mountpoint)]
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        # In a session of its own: a notebook that is interrupted keeps what is mounted.
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True
        )
        timer = Timer(PATIENCE, process.kill)
        timer.start()
        try:
            mounted = process.stdout is not None and "has mounted" in process.stdout.readline()
        except BaseException:
            _ended(process, mountpoint, None)
            raise
        finally:
            timer.cancel()
        if mounted:
            return process
        _ended(process, mountpoint, None)
        said.seek(0)
        raise _error(said)


def _error(said: IO[str]) -> DiascopeError:
    """What a traceback ends with, as the error that it was."""
    last = ([line.strip() for line in said if line.strip()] or ["the process that mounts ended and said nothing"])[-1]
    name, _, message = last.partition(": ")
    kind = getattr(errors, name.rpartition(".")[2], None)
    if isinstance(kind, type) and issubclass(kind, DiascopeError):
        return kind(message)
    return Unavailable(last)


def _ended(process: subprocess.Popen[str], mountpoint: Path, made: Path | None) -> None:
    """The process is gone, the folder is as it was, and one that was made for it is gone too."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(GRACE)
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    if _is_mounted(mountpoint):
        freed(mountpoint)
    if made:
        made.rmdir()


def _is_mounted(mountpoint: Path) -> bool:
    """Also where the process that had mounted is gone."""
    try:
        return mountpoint.is_mount()
    except OSError:
        return True
