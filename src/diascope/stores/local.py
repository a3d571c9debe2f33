"""A folder of the local file system."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from diascope.errors import BadRequest, Changed, DiascopeError, Forbidden, NotFound, Unreadable
from diascope.stores.store import Blob, Stat

ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


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
        try:
            with _trouble_told(path):
                return _stat(os.stat(self._resolved(path)))  # noqa: PTH116
        except ABSENT:
            return None

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
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
    """An open local file, read at any place by many threads."""

    __slots__ = ("__weakref__", "_descriptor", "_name", "stat")

    def __init__(self, path: str) -> None:
        self._descriptor = -1
        self._name = path.rpartition("/")[2]
        # Opening a FIFO or a device could block for ever: without waiting, and only regular files.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._descriptor)
        if not modes.S_ISREG(status.st_mode):
            raise IsADirectoryError(path)
        self.stat = _stat(status)

    def lies_below(self, folder: str) -> bool:
        """Whether the kernel knows the open file below a folder: one look, where resolving each name costs many."""
        try:
            return os.readlink(f"/proc/self/fd/{self._descriptor}").startswith(f"{folder.rstrip('/')}/")  # noqa: PTH115
        except OSError:
            return False

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where the file ends sooner."""
        data = os.pread(self._descriptor, max(stop - start, 0), start)
        if len(data) != stop - start and data:
            # One call reads at most 2 GiB, and a signal may end it sooner.
            return data + self.read(start + len(data), stop)
        # A file that is written to in place may no longer be what was read of it before.
        if _stat(os.fstat(self._descriptor)).version != self.stat.version:
            raise Changed(f"{self._name} was written to while it was read")
        return data

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


def _stat(status: os.stat_result) -> Stat:
    version = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
    return Stat(modes.S_ISDIR(status.st_mode), status.st_size, version, status.st_mtime)
