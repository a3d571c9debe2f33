"""A cache bounded in bytes that makes a missing value once, however many threads ask for it.

What stays is decided as by S3-FIFO (Yang et al., SOSP 2023, https://dl.acm.org/doi/10.1145/3600006.3613147): who reads
a whole volume once must not push out the tiles that everybody looks at.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, Generic, TypeAlias, TypeVar

from diascope import fleeting
from diascope.haste import pause

V = TypeVar("V")

Behind: TypeAlias = Callable[[Hashable, Callable[[], V]], V]
"""Gives the value of a key from elsewhere, or makes it."""

ENTRY = 400
"""Bytes that a value takes beside its own: its key, its places in tables and queues."""

ON_PROBATION = 4
"""A value that nobody asked for again is dropped after about this part of the bytes came in after it."""

MOST_USES = 3
"""How often a value is passed over, at the most, without being asked for again."""


class _Entry(Generic[V]):
    """A value that is kept."""

    __slots__ = ("is_proven", "key", "uses", "value", "weight")

    def __init__(self, key: Hashable, value: V, weight: int, *, is_proven: bool) -> None:
        self.key = key
        self.value = value
        self.weight = weight
        self.is_proven = is_proven
        """Whether it was asked for again, and stands in the second queue."""
        self.uses = 0
        """How often it was asked for since it entered its queue, up to ``MOST_USES``."""


class BoundedCache(Generic[V]):
    """The values most worth keeping, up to ``max_bytes`` as ``weigh`` counts them.

    A value heavier than the whole cache is handed out and not kept, and so is one that is true only for now (see
    ``diascope.fleeting``). An error reaches every thread that waits for the value, and the next one to ask tries again.
    """

    def __init__(self, max_bytes: int, weigh: Callable[[V], int], behind: Behind[V] | None = None) -> None:
        self.max_bytes = max_bytes
        self._behind = behind
        self.hits = 0
        """How often a value was there; threads that race for it may lose a count."""
        self.misses = 0
        """How often one was made."""
        self._weigh = weigh
        self._entries: dict[Hashable, _Entry[V]] = {}
        self._new: deque[_Entry[V]] = deque()
        """What was not asked for again so far, oldest first."""
        self._proven: deque[_Entry[V]] = deque()
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        """Hashes of the keys dropped last without having been asked for again, no more than there are values."""
        self._bytes = 0
        self._new_bytes = 0
        self._in_flight: dict[Hashable, Future[tuple[V, bool]]] = {}
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        """How much is kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        """Whether the value is there or being made; it does not count as asking for it."""
        return key in self._entries or key in self._in_flight

    def limit(self, max_bytes: int) -> None:
        """Keep no more than so much from now on."""
        with self._lock:
            self.max_bytes = max_bytes
            dropped = self._make_room(0)
        del dropped

    def get(self, key: Hashable, make: Callable[[], V], weigh: Callable[[V], int] | None = None) -> V:
        """The value of this key, made by one of the threads that ask for it, and weighed otherwise where wanted."""
        # Without the lock: a look into a table is one step of the interpreter, and what was found stays whole.
        entry = self._entries.get(key)
        if entry is not None:
            if entry.uses < MOST_USES:
                entry.uses += 1
            self.hits += 1
            return entry.value
        pause()
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                return entry.value
            flight = self._in_flight.get(key)
            leading = flight is None
            if flight is None:
                flight = self._in_flight[key] = Future()
        if leading:
            return self._fly(key, make, flight, weigh or self._weigh)
        try:
            value, is_fleeting = flight.result()
        except Exception:
            raise
        except BaseException:  # noqa: BLE001  # what ends the work of one, as that nobody waits for it, ends no other's
            return self.get(key, make, weigh)
        if is_fleeting:
            fleeting.note()
        return value

    def kept(self, key: Hashable) -> V | None:
        """The value of this key if it is there; nothing is waited for."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.uses < MOST_USES:
            entry.uses += 1
        self.hits += 1
        return entry.value

    def discard(self, key: Hashable) -> None:
        """Keep the value of this key no longer."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is not None:
                self._bytes -= entry.weight
                self._new_bytes -= 0 if entry.is_proven else entry.weight
                (self._proven if entry.is_proven else self._new).remove(entry)

    def _fly(
        self, key: Hashable, make: Callable[[], V], flight: Future[tuple[V, bool]], weigh: Callable[[V], int]
    ) -> V:
        self.misses += 1
        before = fleeting.noted()
        try:
            value = self._behind(key, make) if self._behind else make()
            weight = weigh(value)
        except BaseException as error:
            with self._lock:
                del self._in_flight[key]
            flight.set_exception(error)
            raise
        is_fleeting = fleeting.noted() != before
        with self._lock:
            del self._in_flight[key]
            dropped = [] if is_fleeting else self._keep(key, value, weight)
        # What closes files when it is dropped does so here, where nobody waits for the lock.
        del dropped
        flight.set_result((value, is_fleeting))
        return value

    def _keep(self, key: Hashable, value: V, weight: int) -> list[_Entry[V]]:
        """What had to be dropped for it."""
        if weight > self.max_bytes:
            return []
        dropped = self._make_room(weight)
        was_dropped = self._ghosts.pop(hash(key), self) is None
        self._entries[key] = entry = _Entry(key, value, weight, is_proven=was_dropped)
        (self._proven if was_dropped else self._new).append(entry)
        self._bytes += weight
        self._new_bytes += 0 if was_dropped else weight
        return dropped

    def _make_room(self, weight: int) -> list[_Entry[V]]:
        dropped: list[_Entry[V]] = []
        while self._entries and self._bytes + weight > self.max_bytes:
            if not self._proven or (self._new and self._new_bytes * ON_PROBATION >= self.max_bytes):
                dropped += self._oldest_new()
            else:
                dropped += self._oldest_proven()
        return dropped

    def _oldest_new(self) -> list[_Entry[V]]:
        """It alone, dropped, or nothing where it has proven itself."""
        entry = self._new.popleft()
        self._new_bytes -= entry.weight
        if entry.uses:
            entry.is_proven, entry.uses = True, 0
            self._proven.append(entry)
            return []
        self._ghosts[hash(entry.key)] = None
        while len(self._ghosts) > len(self._entries):
            self._ghosts.popitem(last=False)
        return self._dropped(entry)

    def _oldest_proven(self) -> list[_Entry[V]]:
        entry = self._proven.popleft()
        if entry.uses:
            entry.uses -= 1
            self._proven.append(entry)
            return []
        return self._dropped(entry)

    def _dropped(self, entry: _Entry[V]) -> list[_Entry[V]]:
        del self._entries[entry.key]
        self._bytes -= entry.weight
        return [entry]


class Part(Generic[V]):
    """A cache whose values share the bound of another one's."""

    def __init__(self, whole: BoundedCache[Any], weigh: Callable[[V], int]) -> None:
        self._whole = whole
        self._name = object()
        self._weigh = lambda value: ENTRY + weigh(value)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """As that of ``BoundedCache``."""
        value: V = self._whole.get((self._name, key), make, self._weigh)
        return value

    def __contains__(self, key: Hashable) -> bool:
        return (self._name, key) in self._whole

    def discard(self, key: Hashable) -> None:
        """Keep the value of this key no longer."""
        self._whole.discard((self._name, key))


reader_cache: BoundedCache[Any] = BoundedCache(256 << 20, weigh=lambda _: ENTRY)
"""What readers and operations keep in memory beside chunks and files, each in a part of its own: blocks that were
unpacked, indices, tables. The setting of this name bounds it."""
