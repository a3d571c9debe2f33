"""Who waits, one client after the other, and of each client whoever came first."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue in which no client waits behind all that another one has asked for before."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, client: str, one: T) -> None:
        """One more waits behind those of the same client."""
        self._queues.setdefault(client, deque()).append(one)
        self._length += 1

    def first(self) -> T | None:
        """Whose turn it is."""
        return next(iter(self._queues.values()))[0] if self._queues else None

    def take(self) -> T:
        """The same, who waits no longer; the next turn is another client's."""
        client, queue = next(iter(self._queues.items()))
        one = queue.popleft()
        self._length -= 1
        del self._queues[client]
        if queue:
            self._queues[client] = queue
        return one

    def remove(self, client: str, one: T) -> bool:
        """One waits no longer; whether it did."""
        queue = self._queues.get(client)
        if queue is None or one not in queue:
            return False
        queue.remove(one)
        self._length -= 1
        if not queue:
            del self._queues[client]
        return True
