"""A cache bounded in bytes that makes a missing value once, however many threads ask for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from diascope import fleeting

V = TypeVar("V")


class BoundedCache(Generic[V]):
    """The values used last, up to ``max_bytes`` as ``weigh`` counts them.

    A value heavier than the whole cache is handed out and not kept, and so is one that is true only for now (see
    ``diascope.fleeting``). An error reaches every thread that waits for the value, and the next one to ask tries again.
    """

    def __init__(self, max_bytes: int, weigh: Callable[[V], int]) -> None:
        self.max_bytes = max_bytes
        self._weigh = weigh
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._in_flight: dict[Hashable, Future[tuple[V, bool]]] = {}
        self._bytes = 0
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        """How much is kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of this key, made by one of the threads that ask for it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            flight = self._in_flight.get(key)
            leading = flight is None
            if flight is None:
                flight = self._in_flight[key] = Future()
        if leading:
            return self._fly(key, make, flight)
        value, is_fleeting = flight.result()
        if is_fleeting:
            fleeting.note()
        return value

    def discard(self, key: Hashable) -> None:
        """Keep the value of this key no longer."""
        with self._lock:
            if key in self._values:
                self._bytes -= self._weigh(self._values.pop(key))

    def _fly(self, key: Hashable, make: Callable[[], V], flight: Future[tuple[V, bool]]) -> V:
        before = fleeting.noted()
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                del self._in_flight[key]
            flight.set_exception(error)
            raise
        is_fleeting = fleeting.noted() != before
        with self._lock:
            del self._in_flight[key]
            if not is_fleeting:
                self._keep(key, value)
        flight.set_result((value, is_fleeting))
        return value

    def _keep(self, key: Hashable, value: V) -> None:
        weight = self._weigh(value)
        if weight > self.max_bytes:
            return
        self._values[key] = value
        self._bytes += weight
        while self._bytes > self.max_bytes:
            self._bytes -= self._weigh(self._values.popitem(last=False)[1])
