"""Where the server answers what a worker asks of the stores that its datasets lie in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any, TypeAlias

from diascope.errors import NotFound, Unreadable
from diascope.isolation.channel import PIECE, Broken, Message
from diascope.isolation.lent import copies_of
from diascope.isolation.trouble import told
from diascope.stores.store import Blob, Store

PAGE = 4096
"""How many names go into a message."""

BLOBS = 4096
"""How many files a worker has open in the server at the most."""

SLOWEST = 20_000_000
"""Bytes in a second that a disk takes of a copy at the least."""

Reply: TypeAlias = tuple[Message, bytes]


class Desk:
    """The stores of a worker's datasets, and what it has opened in them."""

    def __init__(self) -> None:
        self._stores: dict[int, Store] = {}
        self._blobs: dict[int, tuple[int, Blob]] = {}
        self._last = 0
        self._copying: set[int] = set()
        self._leave = 0.0

    def lend(self, key: int, store: Store) -> None:
        """From now on the worker may ask of this store, for this dataset."""
        self._stores[key] = store

    def take_back(self, key: int) -> None:
        """The dataset is closed, and with it all that was opened for it."""
        self._stores.pop(key, None)
        self._copying.discard(key)
        self._blobs = {number: entry for number, entry in self._blobs.items() if entry[0] != key}

    def leave(self) -> float:
        """How many more seconds the worker may take since this was asked last, to copy what it said it would."""
        leave, self._leave = self._leave, 0.0
        return leave

    def drop(self, numbers: Any) -> None:
        """Close these files; raises Broken where they are not numbers."""
        if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
            raise Broken("files that are no numbers are to be closed")
        for number in numbers:
            self._blobs.pop(number, None)

    def replies(self, question: Any) -> Iterator[Reply]:
        """One message, or several for a long listing; raises Broken where it is no question."""
        if not isinstance(question, dict):
            raise Broken("a question that is no object")
        try:
            yield from self._replies(question)
        except Broken:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a store raises is for the reader to hear
            yield told(error), b""

    def _replies(self, question: Message) -> Iterator[Reply]:
        match question:
            case {"what": "read", "blob": int(number), "start": int(start), "stop": int(stop)}:
                yield {}, self._read(number, start, stop)
            case {"what": "stat", "key": int(key), "path": str(path)}:
                stat = self._store(key).stat(path)
                yield {"stat": stat and asdict(stat)}, b""
            case {"what": "names", "key": int(key), "path": str(path)}:
                yield from _paged(self._store(key).names(path))
            case {"what": "open", "key": int(key), "path": str(path)}:
                yield self._opened(key, path), b""
            case {"what": "copy", "key": int(key), "size": int(size)}:
                yield self._copied(key, size), b""
            case {"what": "local_path", "key": int(key), "path": str(path)}:
                yield {"path": self._store(key).local_path(path)}, b""
            case _:
                raise Broken("a question that nobody asks")

    def _store(self, key: int) -> Store:
        if key not in self._stores:
            raise Broken("a question about a dataset that is not open")
        return self._stores[key]

    def _opened(self, key: int, path: str) -> Message:
        if len(self._blobs) >= BLOBS:
            raise Unreadable(f"its reader has more than {BLOBS} files open")
        blob = self._store(key).open(path)
        self._last += 1
        self._blobs[self._last] = key, blob
        return {"blob": self._last, "stat": asdict(blob.stat)}

    def _copied(self, key: int, size: int) -> Message:
        """The worker gets time for it, but once, so that a reader cannot go on for ever."""
        most = copies_of(self._store(key)).max_bytes
        if key not in self._copying:
            self._copying.add(key)
            self._leave += max(0, min(size, most)) / SLOWEST
        return {}

    def _read(self, number: int, start: int, stop: int) -> bytes:
        if not 0 <= start <= stop <= start + PIECE:
            raise Broken("a read of more than a piece")
        if number not in self._blobs:
            raise NotFound("the file was closed")
        return self._blobs[number][1].read(start, stop)


def _paged(names: Iterator[tuple[str, bool]]) -> Iterator[Reply]:
    """The names in messages, of which each but the last says that there is more."""
    page = list(islice(names, PAGE))
    while following := list(islice(names, PAGE)):
        yield {"names": page, "more": True}, b""
        page = following
    yield {"names": page, "more": False}, b""
