"""A store that counts the bytes read from it, and has no local path to read past it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from diascope.stores.store import Blob, Stat, Store


@dataclass
class CountingStore:
    """Another store, with some files' bytes replaced."""

    store: Store
    replaced: Mapping[str, bytes] = field(default_factory=dict)
    count: int = 0
    """How many bytes were read."""
    _lock: Lock = field(default_factory=Lock)

    def stat(self, path: str) -> Stat | None:
        stat = self.store.stat(path)
        return replace(stat, size=len(self.replaced[path])) if stat and path in self.replaced else stat

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        return self.store.names(path)

    def open(self, path: str) -> Blob:
        return CountingBlob(self, self.store.open(path), self.replaced.get(path))

    def read(self, path: str) -> bytes | None:
        data = self.replaced.get(path, self.store.read(path))
        self.counted(len(data or b""))
        return data

    def local_path(self, path: str) -> str | None:  # noqa: ARG002
        return None

    def counted(self, count: int) -> None:
        with self._lock:
            self.count += count


@dataclass
class CountingBlob:
    """One open file of it."""

    store: CountingStore
    blob: Blob
    replaced: bytes | None

    @property
    def stat(self) -> Stat:
        stat = self.blob.stat
        return stat if self.replaced is None else replace(stat, size=len(self.replaced))

    def read(self, start: int, stop: int) -> bytes:
        data = self.blob.read(start, stop) if self.replaced is None else self.replaced[start : max(start, stop)]
        self.store.counted(len(data))
        return data
