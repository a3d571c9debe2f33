"""The files that an Olympus image is made of: in a folder beside the OIF, or in the compound file that an OIB is."""

from __future__ import annotations

import posixpath
from typing import Protocol

from diascope.errors import Changed, NotFound, Unreadable
from diascope.sources.olympus.settings import settings
from diascope.sources.reading.compound import CompoundFile
from diascope.stores.store import Blob, Store

INFO = "oibinfo.txt"
LARGEST = 1 << 30
"""No file in it has more bytes."""


class Files(Protocol):
    """They have the names that the OIF has for them, without the folder, in lower case."""

    @property
    def main(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def read(self, name: str) -> bytes:
        """All bytes of one; raises Unreadable where there is none."""
        ...

    def tail(self, name: str, count: int) -> bytes:
        """Its last bytes."""
        ...


class Folder:
    """The OIF and the folder of its name with ``.files`` behind."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._paths = {self._plain(path): path}
        self.main = self._plain(path)
        for folder in _folders(store, path):
            self._paths |= {name.lower(): posixpath.join(folder, name) for name, _ in store.names(folder)}
        stats = {path: store.stat(path) for path in self._paths.values()}
        self.versions = {path: stat.version if stat else "" for path, stat in stats.items()}
        if len(self._paths) == 1:
            raise Unreadable(f"the folder {posixpath.basename(path)}.files, which has the pixels, is missing or empty")

    @staticmethod
    def _plain(path: str) -> str:
        return posixpath.basename(path).lower()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._paths)

    def read(self, name: str) -> bytes:
        blob = self._blob(name)
        if blob.stat.size > LARGEST:
            raise Unreadable(f"{name} is over the limit of {LARGEST} bytes")
        return blob.read(0, blob.stat.size)

    def tail(self, name: str, count: int) -> bytes:
        blob = self._blob(name)
        return blob.read(max(blob.stat.size - count, 0), blob.stat.size)

    def _blob(self, name: str) -> Blob:
        if name not in self._paths:
            raise Unreadable(f"the file {name} is missing")
        path = self._paths[name]
        blob = self._store.open(path)
        if blob.stat.version != self.versions[path]:
            raise Changed(f"{path} was written to since it was opened")
        return blob


def _folders(store: Store, path: str) -> list[str]:
    """The folder of the files of an OIF, whatever its case."""
    wanted = f"{posixpath.basename(path)}.files".lower()
    above = posixpath.dirname(path)
    stat = store.stat(f"{path}.files")
    if stat is not None and stat.is_folder:
        return [f"{path}.files"]
    try:
        return [
            posixpath.join(above, name)
            for name, is_folder in store.names(above)
            if is_folder and name.lower() == wanted
        ]
    except NotFound:
        return []


class Compound:
    """The streams of an OIB, whose real names stand in one of them."""

    def __init__(self, blob: Blob) -> None:
        self._file = CompoundFile(blob)
        info = settings(self._file.read(INFO)).get("OibSaveInfo", {})
        named = {key: text for key, text in info.items() if key.lower() in self._file.streams}
        self._keys = {_last(text): key.lower() for key, text in named.items()}
        self.main = _last(named.get(info.get("MainFileName", ""), ""))
        if self.main not in self._keys:
            raise Unreadable("it does not name its main file")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def read(self, name: str) -> bytes:
        return self._file.read(self._key(name))

    def tail(self, name: str, count: int) -> bytes:
        key = self._key(name)
        return self._file.read(key, max(self._file.streams[key].size - count, 0))

    def _key(self, name: str) -> str:
        if name not in self._keys:
            raise Unreadable(f"the stream of {name} is missing")
        return self._keys[name]


def _last(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].lower()
