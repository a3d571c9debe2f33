"""Chunks read before anybody asks for them, while nothing else is read: those where a viewer is going.

Who scrolls through planes, plays a series or pans asks for chunk after chunk along one axis. Once three in a row have
been asked for, the next one or two are read.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import NamedTuple

from diascope.image.region import Ints

COSTLY = 0.003
"""Seconds: chunks of a level that are read in less are soon there without this."""
REMEMBERED = 512
"""How many chunks of a level it is known of that they were asked for."""
STALE = 1.0
"""Seconds after which nobody wants any more what was expected."""
MOST = 64
"""How many chunks are expected at once."""
NICE = 10
"""By how much the thread stands back behind those that somebody waits for, where the system knows that of threads."""


class Expected(NamedTuple):
    """A chunk that may be asked for next."""

    trail: Trail
    read: Callable[[], object]
    since: float


class Trail:
    """What was asked for of one level."""

    __slots__ = ("_lock", "_seen", "_towards", "cost")

    def __init__(self) -> None:
        self.cost = 0.0
        """About how many seconds it takes to read a chunk."""
        self._towards: tuple[int, int] | None = None
        """The axis along which it leads, and in which direction."""
        self._seen: OrderedDict[Ints, int] | None = None
        """Chunks by when they were asked for, as a running number."""
        self._lock = threading.Lock()

    @property
    def is_costly(self) -> bool:
        return self.cost > COSTLY

    def after(self, index: Ints) -> tuple[list[Ints], bool]:
        """The chunks that may be asked for after this one, nearest first, and whether the trail has turned.

        They may lie outside the level.
        """
        with self._lock:
            if self._seen is None:
                self._seen = OrderedDict()
            if self._seen and next(reversed(self._seen)) == index:
                return [], False
            way = self._way(self._seen, index)
            turned = way is not None and self._towards not in {None, way}
            self._towards = way or self._towards
            if way is None:
                return [], False
            axis, step = way
            is_steady = _moved(index, axis, -3 * step) in self._seen
            return [_moved(index, axis, step * k) for k in ((1, 2) if is_steady else (1,))], turned

    @staticmethod
    def _way(seen: OrderedDict[Ints, int], index: Ints) -> tuple[int, int] | None:
        """Along which axis two chunks before this one were asked for, and none beyond it."""
        seen[index] = 1 + (next(reversed(seen.values())) if seen else 0)
        seen.move_to_end(index)
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
        # A window is filled along other axes than it moves along: where it comes from was asked for longest ago.
        ways = [
            (before, axis, step)
            for axis in range(len(index))
            for step in (1, -1)
            if (before := seen.get(_moved(index, axis, -step))) is not None
            and _moved(index, axis, -2 * step) in seen
            and _moved(index, axis, step) not in seen
        ]
        return min(ways)[1:] if ways else None


def _moved(index: Ints, axis: int, by: int) -> Ints:
    return (*index[:axis], index[axis] + by, *index[axis + 1 :])


class Prefetch:
    """One thread that reads what is expected while nobody waits for anything."""

    def __init__(self) -> None:
        self.is_on = False
        self.count = 0
        """How many chunks were read so."""
        self._expected: deque[Expected] = deque(maxlen=MOST)
        self._busy = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process = 0

    @contextmanager
    def awaited(self, trail: Trail) -> Iterator[None]:
        """While the block runs somebody waits for a chunk."""
        if threading.current_thread() is self._thread:
            yield
            return
        began = monotonic()
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                if not self._busy and self._expected:
                    self._changed.notify()
            # One that happened to take long does not count for much.
            trail.cost += (monotonic() - began - trail.cost) / 4

    def expect(self, trail: Trail, reads: list[Callable[[], object]]) -> None:
        """These may be wanted next, the first of them first."""
        now = monotonic()
        with self._changed:
            # The newest are read first, for who scrolls on soon has passed the others.
            self._expected.extend(Expected(trail, read, now) for read in reversed(reads))
            if self._thread is None or self._process != os.getpid():
                self._process = os.getpid()
                self._thread = threading.Thread(target=self._run, name="diascope-prefetch", daemon=True)
                self._thread.start()
            if not self._busy:
                self._changed.notify()

    def forget(self, trail: Trail) -> None:
        """Nothing that this trail led to is wanted any more."""
        with self._changed:
            left = [each for each in self._expected if each.trail is not trail]
            self._expected.clear()
            self._expected.extend(left)

    def _run(self) -> None:
        with suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while True:
            read = self._next()
            with suppress(Exception):  # it is told to whoever asks for the chunk
                read()
            self.count += 1

    def _next(self) -> Callable[[], object]:
        with self._changed:
            while True:
                while self._busy or not self._expected:
                    self._changed.wait()
                one = self._expected.pop()
                if self.is_on and monotonic() - one.since <= STALE:
                    return one.read


prefetch = Prefetch()
"""That of this process; the setting ``prefetch`` turns it on."""
