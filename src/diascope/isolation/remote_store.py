"""A store of the server's as a worker sees it: the server does the looking and reading, and keeps its credentials."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, BinaryIO

from diascope.isolation.channel import PIECE, Channel, Message
from diascope.isolation.trouble import checked
from diascope.stores.copies import Copies
from diascope.stores.store import Blob, Stat


class Line:
    """The channel to the server, on which any thread of the worker may ask."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = RLock()
        self.dropped: deque[int] = deque()
        """The open files that nobody holds any more."""

    def asked(self, **question: Any) -> tuple[Message, bytes]:
        """The server's reply; raises what it tells of."""
        with self._lock:
            self._channel.send({"ask": question, "drop": self._drop()})
            reply, data = self._channel.receive()
            return checked(reply), data

    def pages(self, **question: Any) -> Iterator[Message]:
        """A reply of several messages, all of them here before the first is given."""
        with self._lock:
            pages = [self.asked(**question)[0]]
            while pages[-1]["more"]:
                pages.append(checked(self._channel.receive()[0]))
        return iter(pages)

    def answer(self, message: Message) -> None:
        with self._lock:
            self._channel.send({"answer": message, "drop": self._drop()})

    def _drop(self) -> list[int]:
        return [self.dropped.popleft() for _ in range(len(self.dropped))]


@dataclass(frozen=True, slots=True)
class RemoteCopies:
    """Local copies of the store's files, in the same folder as those that the server itself makes."""

    line: Line
    key: int
    copies: Copies

    def held(self, key: str, size: int, make: Callable[[Path], None]) -> tuple[Path, BinaryIO]:
        """As ``Copies`` has it; the server gives the worker time to copy so much, or to wait for who does."""
        self.line.asked(what="copy", key=self.key, size=size)
        return self.copies.held(key, size, make)


@dataclass(frozen=True, slots=True, eq=False)
class RemoteStore:
    """The store that a dataset lies in."""

    line: Line
    key: int
    """Of the dataset."""
    name: str
    """Unlike that of any other store, and the same in every worker."""
    copies: RemoteCopies

    def __repr__(self) -> str:
        return f"RemoteStore({self.name!r})"

    def stat(self, path: str) -> Stat | None:
        reply, _ = self.line.asked(what="stat", key=self.key, path=path)
        return Stat(**reply["stat"]) if reply["stat"] else None

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        for page in self.line.pages(what="names", key=self.key, path=path):
            yield from ((name, is_folder) for name, is_folder in page["names"])

    def open(self, path: str) -> Blob:
        reply, _ = self.line.asked(what="open", key=self.key, path=path)
        return RemoteBlob(self.line, reply["blob"], Stat(**reply["stat"]))

    def read(self, path: str) -> bytes | None:
        try:
            blob = self.open(path)
        except FileNotFoundError:
            return None
        return blob.read(0, blob.stat.size)

    def local_path(self, path: str) -> str | None:
        reply, _ = self.line.asked(what="local_path", key=self.key, path=path)
        local: str | None = reply["path"]
        return local


class RemoteBlob:
    """An open file of the server's."""

    __slots__ = ("__weakref__", "_line", "_number", "stat")

    def __init__(self, line: Line, number: int, stat: Stat) -> None:
        self._line = line
        self._number = number
        self.stat = stat

    def read(self, start: int, stop: int) -> bytes:
        stop = min(stop, self.stat.size)
        pieces = []
        for at in range(start, stop, PIECE):
            _, data = self._line.asked(what="read", blob=self._number, start=at, stop=min(at + PIECE, stop))
            pieces.append(data)
            if len(data) < min(PIECE, stop - at):
                break
        return b"".join(pieces)

    def __del__(self) -> None:
        self._line.dropped.append(self._number)
