"""The tree as a read-only file system of the kernel's (https://libfuse.github.io/doxygen/structfuse__operations.html)."""

from __future__ import annotations

import errno
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from diascope.access.ahead import Ahead, Reader
from diascope.access.attributes import Attributes, file_attributes, folder_attributes
from diascope.access.folder import OpenFolder, listed
from diascope.access.mountpoint import library, prepared
from diascope.bounded import BoundedCache
from diascope.errors import BadRequest, Forbidden, NotFound, TooLarge, Unavailable, Unsupported
from diascope.tree.file import File, Tree, whole

LOG = logging.getLogger("diascope.access")

FRESH = 2.0
"""Seconds for which the kernel and open files trust what was looked up."""
THREADS = 24
"""How many requests of the kernel are under way at once: most wait, for the network or for one another."""
SIZES = 200_000
"""How many sizes are remembered of files of which only their bytes tell it."""
TROUBLES = 1000
"""How many paths are remembered that could not be read, with the reason."""
REASON = "user.diascope.error"
"""The extended attribute that tells why a file, or those of a folder, cannot be read."""
ERRNO: dict[type[Exception], int] = {
    TooLarge: errno.EFBIG,
    BadRequest: errno.ENOENT,
    NotFound: errno.ENOENT,
    Forbidden: errno.EACCES,
    Unsupported: errno.EOPNOTSUPP,
}
"""What looking a path up fails with; all else, and every trouble while reading, is EIO."""

T = TypeVar("T")


@dataclass(slots=True)
class OpenFile:
    """A file that a program has open."""

    path: str
    etag: str | None
    reader: Reader
    looked: float
    """When it was last known to be the file at this path."""


@dataclass(slots=True)
class Mounted:
    """What the kernel asks of a tree; called from many threads at once."""

    tree: Tree
    threads: int
    ready: Callable[[], None] = lambda: None
    """Called once the kernel has the file system."""
    begun: bool = False
    use_ns: bool = True
    """Times are in nanoseconds."""
    _ahead: Ahead = field(init=False)
    _sizes: BoundedCache[int] = field(default_factory=lambda: BoundedCache(SIZES, weigh=lambda _: 1))
    _open: dict[int, OpenFile | OpenFolder] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _troubles: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._ahead = Ahead(self.threads)

    def init(self, _: str) -> None:
        self.begun = True
        self.ready()

    def getattr(self, path: str, fh: int | None = None) -> Attributes:
        """The attributes of a file or folder."""
        opened = self._open.get(fh or 0)
        if isinstance(opened, OpenFile):
            return file_attributes(opened.path, opened.etag, opened.reader.size)
        return self._looked_up(path[1:], self._attributes)

    def _attributes(self, path: str) -> Attributes:
        file = self.tree.file(path)
        if file is not None:
            return file_attributes(path, file.etag, self._size(path, file))
        if self.tree.entries(path) is None:
            raise NotFound(path)
        return folder_attributes(path)

    def _size(self, path: str, file: File) -> int:
        """In bytes; a file of which only they tell it is made, once."""
        if file.size is not None:
            return file.size
        if file.etag is None:
            return len(file.read(0, None))
        return self._sizes.get((path, file.etag), lambda: len(file.read(0, None)))

    def open(self, path: str, _: int) -> int:
        """The number of a file that is read from now on."""
        return self._looked_up(path[1:], self._opened)

    def _opened(self, path: str) -> int:
        file = self.tree.file(path)
        if file is None:
            raise NotFound(path)
        size, etag = self._size(path, file), file.etag
        if file.size is None:  # made as a whole, for all the ranges that are read of it
            file = whole(partial(file.read, 0, None), file.media_type, size)
        reader = self._ahead.reader(file, size, (path, etag) if etag else None)
        return self._numbered(OpenFile(path, etag, reader, monotonic()))

    def read(self, _: str, size: int, offset: int, fh: int) -> bytes:
        """So many bytes, fewer only at the end of the file."""
        opened = self._open[fh]
        assert isinstance(opened, OpenFile)  # noqa: S101 — the kernel reads what it has opened
        try:
            self._check_same(opened)
            return opened.reader.read(offset, offset + size)
        except Exception as error:
            raise self._told(opened.path, error, errno.EIO) from error

    def _check_same(self, opened: OpenFile) -> None:
        """Raise ESTALE where the file at the path of an open one is another by now: two are never mixed."""
        if monotonic() - opened.looked < FRESH:
            return
        file = self.tree.file(opened.path)
        if file is None or file.etag != opened.etag:
            raise OSError(errno.ESTALE, f"{opened.path} was replaced while it was open")
        opened.looked = monotonic()

    def release(self, _: str, fh: int) -> int:
        del self._open[fh]
        return 0

    def opendir(self, path: str) -> int:
        return self._numbered(OpenFolder(path[1:]))

    def readdir_with_offset(self, _: str, offset: int, fh: int) -> Iterator[tuple[str, Attributes, int]]:
        """The entries from a place on, made as far as there is room for them: a folder may have a billion."""
        folder = self._open[fh]
        assert isinstance(folder, OpenFolder)  # noqa: S101 — the kernel lists what it has opened
        with folder.lock:
            try:
                yield from listed(folder, self.tree, offset)
            except Exception as error:
                folder.position = -1  # whoever asks again shall not take it for the end
                raise self._told(folder.path, error, errno.EIO) from error

    def releasedir(self, _: str, fh: int) -> int:
        del self._open[fh]
        return 0

    def listxattr(self, path: str) -> list[str]:
        return [REASON] if self._reasons(path[1:]) else []

    def getxattr(self, path: str, name: str, *_: int) -> bytes:
        """Why a file cannot be read; of a folder a line for each file in it that cannot be."""
        reasons = self._reasons(path[1:]) if name == REASON else []
        if not reasons:
            raise OSError(errno.ENODATA, name)
        return "\n".join(reasons).encode(errors="replace")[:60_000]

    def _reasons(self, path: str) -> list[str]:
        with self._lock:
            if path in self._troubles:
                return [self._troubles[path]]
            return [
                f"{other.rpartition('/')[2]}: {reason}"
                for other, reason in self._troubles.items()
                if other.rpartition("/")[0] == path
            ]

    def _looked_up(self, path: str, look: Callable[[str], T]) -> T:
        try:
            return look(path)
        except Exception as error:
            kind = next((kind for kind in type(error).__mro__ if kind in ERRNO), None)
            if kind is not None and ERRNO[kind] == errno.ENOENT:
                raise OSError(errno.ENOENT, path) from error
            raise self._told(path, error, ERRNO[kind] if kind else errno.EIO) from error

    def _told(self, path: str, error: Exception, number: int) -> OSError:
        """The error for the kernel, which takes a number; the reason is logged, and kept for who asks."""
        reason = f"{error}" or type(error).__name__
        with self._lock:
            known = self._troubles.pop(path, None) == reason
            self._troubles[path] = reason
            while len(self._troubles) > TROUBLES:
                self._troubles.popitem(last=False)
        if not known:
            LOG.warning("%s: %s", path, reason)
        return OSError(errno.ESTALE if getattr(error, "errno", None) == errno.ESTALE else number, reason)

    def _numbered(self, opened: OpenFile | OpenFolder) -> int:
        number = next(self._numbers)
        self._open[number] = opened
        return number


def mount(
    tree: Tree, mountpoint: Path, threads: int, ready: Callable[[], None] = lambda: None, *, others: bool = False
) -> None:
    """Mount a tree until it is unmounted, or this process is told to end by SIGINT, SIGTERM or SIGHUP.

    ``others`` lets other users in too. Raises Unavailable where this machine cannot mount, BadRequest where the
    mountpoint is not empty.
    """
    fuse = library()
    prepared(mountpoint)
    options: dict[str, Any] = {"allow_other": True} if others else {}
    if fuse.fuse_version_major >= 3:
        options["max_idle_threads"] = THREADS
    if (fuse.fuse_version_major, fuse.fuse_version_minor) >= (3, 12):
        options["max_threads"] = THREADS
    mounted = Mounted(tree, threads, ready)
    fresh = dict.fromkeys(("attr_timeout", "entry_timeout", "negative_timeout"), FRESH)
    try:
        fuse.FUSE(
            mounted, str(mountpoint), foreground=True, ro=True, use_ino=True, auto_cache=True,
            default_permissions=True, fsname="diascope", subtype="diascope", **fresh, **options,
        )  # fmt: skip
    except RuntimeError as error:
        if mounted.begun:  # libfuse tells the end by a signal as an error
            return
        raise Unavailable(f"the kernel did not mount on {str(mountpoint)!r}; libfuse says why above") from error
