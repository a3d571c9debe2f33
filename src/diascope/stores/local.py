"""A folder of the local file system."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import local

from diascope import haste
from diascope.errors import BadRequest, Changed, DiascopeError, Forbidden, NotFound, Unreadable
from diascope.stores.descriptors import Descriptor, holders
from diascope.stores.store import Blob, Stat

ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


AT_ONCE = 1 << 20
"""Bytes that are read in haste at the most."""


@contextmanager
def _trouble_told(path: str) -> Iterator[None]:
    """Trouble of the file system is Unreadable, with the path as the repository has it and the reason."""
    try:
        yield
    except (*ABSENT, DiascopeError):
        raise
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class LocalStore:
    """The files below ``root``; links that lead out of it are refused unless ``follow_links``."""

    root: Path
    follow_links: bool = False
    _real_root: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_real_root", os.path.realpath(self.root))

    def stat(self, path: str) -> Stat | None:
        haste.pause()
        try:
            with _trouble_told(path):
                return _stat(os.stat(self._resolved(path)))  # noqa: PTH116
        except ABSENT:
            return None

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        haste.pause()
        try:
            with _trouble_told(path), os.scandir(self._resolved(path)) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and self._stays_inside(entry):
                        yield entry.name, entry.is_dir()
        except ABSENT as error:
            msg = f"there is no folder {path!r}"
            raise NotFound(msg) from error

    def open(self, path: str) -> Blob:
        try:
            with _trouble_told(path):
                return self._opened(path)
        except ABSENT as error:
            msg = f"there is no file {path!r}"
            raise NotFound(msg) from error

    def read(self, path: str) -> bytes | None:
        try:
            with _trouble_told(path):
                blob = self._opened(path)
                return blob.read(0, blob.stat.size)
        except ABSENT:
            return None

    def local_path(self, path: str) -> str | None:
        return self._resolved(path)

    def _opened(self, path: str) -> LocalBlob:
        full = self._full(path)
        try:
            blob = LocalBlob(full)
        except OSError:
            # Whether something is there is not told of what lies outside.
            self._resolved(path)
            raise
        if not self.follow_links and not blob.lies_below(self._real_root):
            self._check(full, path)
        return blob

    def _resolved(self, path: str) -> str:
        full = self._full(path)
        if path and not self.follow_links:
            self._check(full, path)
        return full

    def _full(self, path: str) -> str:
        if not path:
            return self._real_root
        if "\0" in path or any(segment in {"", ".", ".."} for segment in path.split("/")):
            msg = f"{path!r} is no path within a repository"
            raise BadRequest(msg)
        return f"{self._real_root}/{path}"

    def _check(self, full: str, path: str) -> None:
        haste.pause()
        real = os.path.realpath(full)
        if real != self._real_root and not real.startswith(self._real_root.rstrip("/") + "/"):
            msg = f"{path!r} is a link that leads out of its repository"
            raise Forbidden(msg)

    def _stays_inside(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_symlink():
            return True
        try:
            if not self.follow_links:
                self._check(entry.path, entry.name)
            return entry.is_dir() or entry.is_file()
        except (Forbidden, OSError):
            return False


class LocalBlob:
    """A local file, read at any place by many threads; opened anew, if it is the same still, after a long rest."""

    __slots__ = ("__weakref__", "_held", "_known", "_path", "stat", "used")

    def __init__(self, path: str) -> None:
        self._path = path
        self.used = True
        self._held: Descriptor | None = Descriptor(path)
        status = os.fstat(self._held.number)
        if not modes.S_ISREG(status.st_mode):
            raise IsADirectoryError(path)
        self.stat = _stat(status)
        self._known = _versioned(status)
        holders.add(self)

    def lies_below(self, folder: str) -> bool:
        """Whether the kernel knows the open file below a folder: one look, where resolving each name costs many."""
        try:
            return os.readlink(f"/proc/self/fd/{self._descriptor().number}").startswith(f"{folder.rstrip('/')}/")  # noqa: PTH115
        except OSError:
            return False

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where the file ends sooner."""
        held = self._descriptor()
        size = stop - start
        data = _read(held.number, size, start) if size > 0 else b""
        if len(data) != size and data:
            # One call reads at most 2 GiB, and a signal may end it sooner.
            return data + self.read(start + len(data), stop)
        # A file that is written to in place may no longer be what was read of it before.
        if _versioned(os.fstat(held.number)) != self._known:
            raise self._changed()
        return data

    def rest(self) -> None:
        self._held = None

    def _descriptor(self) -> Descriptor:
        """Whoever has it may read from it, also when this rests meanwhile."""
        self.used = True
        return self._held or self._opened_again()

    def _opened_again(self) -> Descriptor:
        try:
            held = Descriptor(self._path)
        except ABSENT as error:
            raise self._changed() from error
        if _versioned(os.fstat(held.number)) != self._known:
            raise self._changed()
        self._held = held
        holders.add(self)
        return held

    def _changed(self) -> Changed:
        return Changed(f"{self._path.rpartition('/')[2]} was written to while it was read")

    def __del__(self) -> None:
        holders.remove(self)


class _Thread(local):
    """Memory that is written to again and again, which is faster than to ask for more."""

    def __init__(self) -> None:
        self.buffer = bytearray(AT_ONCE)


_thread = _Thread()


def _read(number: int, size: int, start: int) -> bytes:
    """At most so many bytes of an open file; in haste only where they are in memory, all of them."""
    if not haste.is_hasty():
        return os.pread(number, size, start)
    if size > AT_ONCE or not hasattr(os, "RWF_NOWAIT"):
        raise haste.Wait
    data = memoryview(_thread.buffer)[:size]
    try:
        count = os.preadv(number, [data], start, os.RWF_NOWAIT)
    except OSError as error:
        # It lies on a disk, or in a file system that does not tell, such as that of another machine.
        raise haste.Wait from error
    if count != size:
        raise haste.Wait
    return bytes(data)


def _stat(status: os.stat_result) -> Stat:
    modified, size, number = _versioned(status)
    version = f"{modified:x}-{size:x}-{number:x}"
    return Stat(modes.S_ISDIR(status.st_mode), status.st_size, version, status.st_mtime)


def _versioned(status: os.stat_result) -> tuple[int, int, int]:
    """What a version is made of."""
    return status.st_mtime_ns, status.st_size, status.st_ino
