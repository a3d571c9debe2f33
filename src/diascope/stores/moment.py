"""What was seen of a store, until it has to be looked at again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

V = TypeVar("V")

MOST = 100_000
"""What is remembered at once; then everything is forgotten."""


class Moment:
    """Values by key, all of which are forgotten at the end of each ``seconds``.

    Everything in a process that counts in the same seconds forgets at the same time, so that what is remembered of
    what is remembered grows no older.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = Lock()
        self._now = -1.0
        self._values: dict[Hashable, tuple[Any, int]] = {}
        self._weight = 0

    def __reduce__(self) -> tuple[type[Moment], tuple[float]]:
        return Moment, (self.seconds,)

    def get(self, key: Hashable, default: V) -> V:
        with self._lock:
            self._forget()
            found: V = self._values.get(key, (default, 0))[0]
            return found

    def keep(self, key: Hashable, value: V, weight: int = 1) -> V:
        """The value, remembered where there are seconds to do so."""
        if self.seconds > 0 and weight <= MOST:
            with self._lock:
                self._forget()
                if self._weight + weight > MOST:
                    self._clear()
                self._weight += weight
                self._values[key] = (value, weight)
        return value

    def made(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value, made where it is not remembered; several threads may make it at once."""
        missing: Any = self
        found = self.get(key, missing)
        return self.keep(key, make()) if found is missing else found

    def _forget(self) -> None:
        now = monotonic() // self.seconds if self.seconds > 0 else 0.0
        if now != self._now:
            self._now = now
            self._clear()

    def _clear(self) -> None:
        self._values.clear()
        self._weight = 0
