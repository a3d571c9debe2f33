"""Encoded files kept where other processes and other machines find them too, and where they outlive this one.

An entry is bytes and nothing else, so that what a stranger writes there is a picture at the worst ::

    0   4   44 49 41 31, "DIA1"
    4   16  BLAKE2b (RFC 7693) of its key and the bytes
    20      the bytes

What cannot be read, or is not what was written, is made anew as if nothing were there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from queue import Empty, Full, Queue
from threading import Lock, Thread
from time import monotonic, perf_counter
from typing import Protocol, TypeVar

from diascope import fleeting

LOG = logging.getLogger("diascope.shared_cache")

MAGIC = b"DIA1"
SUM = 16
HEAD = len(MAGIC) + SUM

LARGEST = 32 << 20
"""Bytes that an entry has at most."""
WORTH = 0.001
"""Seconds: what is made in less is sooner made again than looked for."""
PAUSE = 5.0
"""Seconds for which a place in trouble is left alone."""
WAITING = 256
"""How many entries wait to be written at the most; more are not kept."""
WAITING_BYTES = 64 << 20
IDLE = 10.0
"""Seconds after which the thread that writes ends if there is nothing to do."""

T = TypeVar("T")


class Place(Protocol):
    """Where entries lie; any exception is trouble with all of it."""

    @property
    def told(self) -> str:
        """What a log may call it: nothing secret."""
        ...

    def read(self, key: str, most: int) -> bytes | None:
        """The bytes under a key, or none; of more than ``most`` it may give any part that is longer than that."""
        ...

    def write(self, key: str, data: bytes) -> None: ...


@dataclass(slots=True, eq=False)
class Patience:
    """Leaves alone for a while what is in trouble, and tells of it when that begins and ends."""

    what: str
    _until: float = 0.0
    _in_trouble: bool = False
    _lock: Lock = field(default_factory=Lock)

    def tried(self, action: Callable[[], T], otherwise: T) -> T:
        """What the action gives, or ``otherwise`` where it fails or is not tried."""
        if self._in_trouble and not self._may_try():
            return otherwise
        try:
            result = action()
        except Exception as error:  # noqa: BLE001  # whatever a library raises: a cache is no reason to fail
            self._failed(error)
            return otherwise
        if self._in_trouble:
            self._in_trouble = False
            LOG.warning("%s: works again", self.what)
        return result

    def _may_try(self) -> bool:
        """For one thread at a time, and no sooner than after the pause."""
        with self._lock:
            now = monotonic()
            if now < self._until:
                return False
            self._until = now + PAUSE
            return True

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._until = monotonic() + PAUSE
            is_new, self._in_trouble = not self._in_trouble, True
        if is_new:
            # Of an error only its kind: messages of libraries have been known to repeat passwords.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            LOG.warning("%s: %s; it is gone on without, and tried again from time to time", self.what, reason)


class Shelf:
    """The entries of one place, for who makes the same bytes: ``salt`` is all that these depend on beside their key."""

    def __init__(self, place: Place, salt: str) -> None:
        self.hits = 0
        """How many files were there; threads that race may lose a count."""
        self.misses = 0
        self._place = place
        self._salt = blake2b(salt.encode(), digest_size=16)
        self._reading = Patience(f"reading the shared cache {place.told}")
        self._writing = Patience(f"writing to the shared cache {place.told}")
        self._waiting: Queue[tuple[str, bytes]] = Queue(WAITING)
        self._waiting_bytes = 0
        self._lock = Lock()
        self._writer: Thread | None = None
        self._process = 0

    def got(self, key: object, make: Callable[[], bytes]) -> bytes:
        """The bytes under a key, made where they are not there, and then written there before long."""
        name = self._name(key)
        data = self._reading.tried(lambda: self._place.read(name, LARGEST + HEAD), None)
        found = opened(name, data) if data else None
        if found is not None:
            self.hits += 1
            return found
        self.misses += 1
        before, began = fleeting.noted(), perf_counter()
        made = make()
        if fleeting.noted() == before and perf_counter() - began >= WORTH and len(made) <= LARGEST:
            self._put(name, made)
        return made

    def flush(self) -> None:
        """Returns once everything is written that was made until now."""
        self._waiting.join()

    def _name(self, key: object) -> str:
        hashed = self._salt.copy()
        hashed.update(str(key).encode())
        return hashed.hexdigest()

    def _put(self, name: str, data: bytes) -> None:
        with self._lock:
            if self._waiting_bytes + len(data) > WAITING_BYTES:
                return
            try:
                self._waiting.put_nowait((name, data))
            except Full:
                return
            self._waiting_bytes += len(data)
            # A process that was forked has the queue, and not the thread.
            if self._writer is None or self._process != os.getpid():
                self._process = os.getpid()
                self._writer = Thread(target=self._write_all, name="diascope-shelf", daemon=True)
                self._writer.start()

    def _write_all(self) -> None:
        while (entry := self._next()) is not None:
            name, data = entry
            self._writing.tried(lambda name=name, data=data: self._place.write(name, closed(name, data)), None)  # type: ignore[misc]
            with self._lock:
                self._waiting_bytes -= len(data)
            self._waiting.task_done()

    def _next(self) -> tuple[str, bytes] | None:
        try:
            return self._waiting.get(timeout=IDLE)
        except Empty:
            with self._lock:
                if self._waiting.empty():
                    self._writer = None
                    return None
            return self._waiting.get()


def closed(key: str, data: bytes) -> bytes:
    """An entry of these bytes."""
    return b"".join([MAGIC, _sum(key, data), data])


def opened(key: str, entry: bytes) -> bytes | None:
    """The bytes of an entry; None where it is not what was written under this key."""
    data = entry[HEAD:]
    return data if entry[:HEAD] == MAGIC + _sum(key, data) else None


def _sum(key: str, data: bytes) -> bytes:
    return blake2b(data, digest_size=SUM, key=key.encode()[:64]).digest()
