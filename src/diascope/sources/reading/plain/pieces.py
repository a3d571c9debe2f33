"""Several files, each with as many bytes of the pixels, read as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from diascope.bounded import BoundedCache
from diascope.errors import Overloaded, Unreadable
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.stores.store import Blob, Store

OPEN = 32
"""How many of the files of an image stay open."""
MOST_FILES = 1 << 16

OpenPiece = Callable[[Blob], ReadBytes]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Files one behind the other, opened when they are needed."""

    store: Store
    paths: tuple[str, ...]
    nbytes: int
    """Of each file."""
    reader: OpenPiece
    """What reads the bytes of a file, in which those of the pixels begin with the first."""
    versions: dict[str, str] = field(default_factory=dict)
    _open: BoundedCache[ReadBytes] = field(default_factory=lambda: BoundedCache(OPEN, weigh=lambda _: 1))

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where they end sooner."""
        pieces = []
        for k in range(start // self.nbytes, min(-(-stop // self.nbytes), len(self.paths))):
            first = k * self.nbytes
            part = (max(start - first, 0), min(stop - first, self.nbytes))
            pieces.append(self._open.get(k, partial(self._opened, self.paths[k]))(*part))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _opened(self, path: str) -> ReadBytes:
        blob = self.store.open(path)
        if self.versions.get(path, blob.stat.version) != blob.stat.version:
            raise Overloaded(f"{path} has just been replaced: ask again")
        return self.reader(blob)


def pieces(store: Store, paths: tuple[str, ...], nbytes: int, reader: OpenPiece) -> Pieces:
    """The files, which must all be there: raises Unreadable where one is missing or they cannot share the pixels."""
    if not paths or len(paths) > MOST_FILES or nbytes % len(paths):
        raise Unreadable(f"{nbytes} bytes of pixels cannot lie in {len(paths)} files of the same size")
    versions = {}
    for path in paths:
        stat = store.stat(path)
        if stat is None or stat.is_folder:
            raise Unreadable(f"the file {path}, which has pixels, is missing")
        versions[path] = stat.version
    return Pieces(store, paths, nbytes // len(paths), reader, versions)
