"""Who waits for a worker goes on in the order in which he came, so that under any load none waits for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, RLock


class Turns:
    """Threads that wait for room; every method is called with the lock held."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._waiting: deque[Condition] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def come(self, has_room: Callable[[], bool], seconds: float) -> bool:
        """Whether it is this thread's turn and there is room, within so many seconds; whoever came later waits on."""
        if not self._waiting and has_room():
            return True
        turn = Condition(self._lock)
        self._waiting.append(turn)
        try:
            return turn.wait_for(lambda: self._waiting[0] is turn and has_room(), seconds)
        finally:
            self._waiting.remove(turn)
            self.call()

    def call(self) -> None:
        """There may be room: the one who came first looks."""
        if self._waiting:
            self._waiting[0].notify()
