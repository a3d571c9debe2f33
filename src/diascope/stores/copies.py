"""Local copies of distant files, as many as fit, shared by all processes that use one folder.

    {folder}/lock           held while room is made
    {folder}/{key}.lock     held shared by whoever uses the copy, alone by whoever makes or removes it
    {folder}/{key}.queue    held by whoever makes the copy; the others wait for it
    {folder}/{key}.part/    a copy that is being made
    {folder}/{key}/         a whole copy

The kernel lets go of the locks of a process that dies: what it left is removed by whoever comes next.
"""  # fmt: skip

from __future__ import annotations

import atexit
import fcntl
import json
import os
import re
import shutil
import stat as modes
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO
from weakref import WeakSet

from diascope.errors import Overloaded, Unavailable, Unreadable

DEFAULT_MOST = 1 << 34
"""As the setting ``local_copies`` has it."""

LOCK = ".lock"
NAME = re.compile(r"[0-9a-f]{40}\.lock", re.ASCII)
PART = ".part"
QUEUE = ".queue"

_held: WeakSet[BinaryIO] = WeakSet()
"""The locks of this process, which it lets go of at its end."""


@dataclass(frozen=True, slots=True)
class Copies:
    """A folder of copies that take no more than so many bytes."""

    folder: Path | None = None
    max_bytes: int = DEFAULT_MOST

    def held(self, key: str, size: int, make: Callable[[Path], None]) -> tuple[Path, BinaryIO]:
        """The folder of a copy, made once by ``make`` in a folder of its own, and what it stays there as long as.

        Raises Unreadable where it is larger than all copies may be, and Overloaded where the others are all in use.
        """
        if size > self.max_bytes:
            raise Unreadable(
                f"its library reads local files only, and a copy of {size} bytes is over the limit of"
                f" {self.max_bytes} (the setting local_copies)"
            )
        folder = _own_folder(self.folder or default_folder())
        while (lock := _used_copy(folder, key)) is None:
            self._fill(folder, key, size, make)
        return folder / key, lock

    def _fill(self, folder: Path, key: str, size: int, make: Callable[[Path], None]) -> None:
        """Make the copy where nobody else has by now."""
        with _turn(folder / f"{key}{QUEUE}") as mine:
            # Users hold the lock of a copy for as long as they like: only where there is none is it worth waiting for.
            if mine and not (folder / key).is_dir():
                with (folder / f"{key}{LOCK}").open("a+b") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if _is_there(lock):
                        self._fill_alone(lock, folder, key, size, make)

    def _fill_alone(self, lock: BinaryIO, folder: Path, key: str, size: int, make: Callable[[Path], None]) -> None:
        part = folder / f"{key}{PART}"
        shutil.rmtree(part, ignore_errors=True)
        with _alone(folder / "lock"):
            self._make_room(folder, key, size)
            lock.truncate(0)
            lock.write(json.dumps({"bytes": size, "process": os.getpid()}).encode())
            lock.flush()
        try:
            part.mkdir(mode=0o700)
            make(part)
            part.rename(folder / key)
        except BaseException as error:
            shutil.rmtree(part, ignore_errors=True)
            Path(lock.name).unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno is not None:
                raise Unavailable(f"no copy can be made in {folder}: {error.strerror}") from error
            raise

    def _make_room(self, folder: Path, key: str, size: int) -> None:
        """Remove copies that nobody uses, those first that were used the longest ago."""
        taken = {lock: _told(lock, "bytes") for lock in _locks(folder) if lock.stem != key}
        free = self.max_bytes - sum(taken.values())
        for lock in sorted(taken, key=_used):
            if free >= size:
                return
            if remove(lock):
                free += taken[lock]
        if free < size:
            raise Overloaded(f"{size} bytes are to be copied, and the other copies in {folder} are all in use")


def _used_copy(folder: Path, key: str) -> BinaryIO | None:
    """The lock of a copy that is there, held so that it stays; None where it is not there."""
    lock = (folder / f"{key}{LOCK}").open("a+b")
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if (folder / key).is_dir() and _is_there(lock):
            os.utime(lock.fileno())
            _held.add(lock)
            return lock
    except BaseException:
        lock.close()
        raise
    lock.close()
    return None


def _locks(folder: Path) -> list[Path]:
    """Those of the copies; a folder that somebody chose badly may have other things in it, or be gone."""
    with suppress(FileNotFoundError):
        return [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    return []


def _got_alone(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove(lock: Path, wanted: Callable[[Path], bool] | None = None) -> bool:
    """Whether a copy was not in use, nor wanted once that was sure, and is gone."""
    with suppress(FileNotFoundError), lock.open("rb") as file:
        if not _got_alone(file) or (wanted is not None and wanted(lock)):
            return False
        for place in (lock.with_suffix(""), lock.with_suffix(PART)):
            shutil.rmtree(place, ignore_errors=True)
        _end(lock.with_suffix(QUEUE))
        lock.unlink(missing_ok=True)
    return True


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


@contextmanager
def _turn(queue: Path) -> Iterator[bool]:
    """One after the other; False to those for whom the queue ended while they were in it."""
    with _alone(queue) as lock:
        if not _is_there(lock):
            yield False
            return
        try:
            yield True
        finally:
            queue.unlink(missing_ok=True)


def _end(queue: Path) -> None:
    """Remove a queue that a dead process left, and none that somebody stands in."""
    with suppress(FileNotFoundError), queue.open("rb") as lock:
        if _got_alone(lock):
            queue.unlink(missing_ok=True)


def _is_there(lock: BinaryIO) -> bool:
    """Whether a lock that was got was not removed while it was waited for."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), os.stat(lock.name))  # noqa: PTH116
    except FileNotFoundError:
        return False


def _used(lock: Path) -> float:
    try:
        return lock.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _told(lock: Path, what: str) -> int:
    try:
        return int(json.loads(lock.read_bytes())[what])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def default_folder() -> Path:
    """Where copies lie unless the settings say where."""
    return Path(tempfile.gettempdir(), f"diascope-copies-{os.getuid()}")


@cache
def _own_folder(folder: Path) -> Path:
    """The folder, which nobody else can write to, without what dead processes left; raises Unavailable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise Unavailable(f"copies cannot lie in {folder}: {error.strerror}") from error
    if not modes.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise Unavailable(f"copies cannot lie in {folder}: it is no folder that only its owner can write to")
    sweep(folder)
    atexit.register(_leave, folder, os.getpid())
    return folder


def sweep(folder: Path) -> None:
    """Remove the copies that dead processes left."""
    for lock in _locks(folder):
        if not _made_by_the_living(lock):
            # Another thread may make it meanwhile.
            remove(lock, wanted=_made_by_the_living)


def _leave(folder: Path, process: int) -> None:
    """Remove the copies that this process made, but for those that others use."""
    if os.getpid() == process:
        for held in list(_held):
            held.close()
        for lock in _locks(folder):
            if _told(lock, "process") == process:
                remove(lock)


def _made_by_the_living(lock: Path) -> bool:
    return _lives(_told(lock, "process"))


def _lives(process: int) -> bool:
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
