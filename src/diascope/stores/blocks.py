"""Blocks of distant files in memory: several that are missing next to each other are one request."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from threading import Lock
from typing import NamedTuple, TypeAlias

BLOCK = 1 << 16
"""Bytes; about what comes in the time that a request takes."""

GAP = 2
"""So many blocks that nobody asked for are fetched rather than that another request is made."""

LONGEST_RUN = 1 << 8
"""Blocks of one request."""

AT_ONCE = 8
"""Requests of all readers that go beside each one's first."""

Fetch: TypeAlias = Callable[[int, int], bytes]
Block: TypeAlias = tuple[Hashable, int]


class Run(NamedTuple):
    """Blocks next to each other that one thread fetches."""

    first: int
    flights: list[Future[bytes]]


class Blocks:
    """The blocks used last, up to so many bytes, each fetched by one of the threads that want it."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[Block, bytes] = OrderedDict()
        self._in_flight: dict[Block, Future[bytes]] = {}
        self._bytes = 0
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[Blocks], tuple[int]]:
        return Blocks, (self.max_bytes,)

    def keep(self, identity: Hashable, start: int, data: bytes) -> None:
        """Bytes of a file, which begin with a block, and end with one or with the file."""
        with self._lock:
            for at in range(0, len(data), BLOCK):
                self._keep((identity, (start + at) // BLOCK), data[at : at + BLOCK])

    def held(self, identity: Hashable, numbers: Iterable[int]) -> dict[int, bytes] | None:
        """The blocks where all of them are here."""
        found = {}
        with self._lock:
            for number in numbers:
                key = (identity, number)
                if key not in self._kept:
                    return None
                self._kept.move_to_end(key)
                found[number] = self._kept[key]
        return found

    def get(self, identity: Hashable, numbers: Iterable[int], fetch: Fetch, size: int) -> dict[int, bytes]:
        """The blocks of a file of so many bytes; ``fetch(start, stop)`` gives its bytes, and its errors are raised."""
        found, waiting, runs = self._claimed(identity, sorted(set(numbers)))
        # Each request beside the first takes a thread, and no time of its own.
        others = [_pool(os.getpid()).submit(self._fetched, identity, run, fetch, size) for run in runs[1:]]
        try:
            for run in runs[:1]:
                found |= self._fetched(identity, run, fetch, size)
            for other in others:
                found |= other.result()
        except BaseException as error:
            wait(others)
            self._given_up(identity, runs, error)
            raise
        return found | {number: flight.result() for number, flight in waiting.items()}

    def _claimed(
        self, identity: Hashable, numbers: list[int]
    ) -> tuple[dict[int, bytes], dict[int, Future[bytes]], list[Run]]:
        """What is here, what others fetch, and what is to be fetched now."""
        found: dict[int, bytes] = {}
        waiting: dict[int, Future[bytes]] = {}
        with self._lock:
            missing = []
            for number in numbers:
                key = (identity, number)
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[number] = self._kept[key]
                elif key in self._in_flight:
                    waiting[number] = self._in_flight[key]
                else:
                    missing.append(number)
            runs = [self._run(identity, group) for group in _grouped(missing)]
        return found, waiting, runs

    def _run(self, identity: Hashable, numbers: range) -> Run:
        """Those of the gap that somebody has, or fetches, are fetched again."""
        flights = [Future[bytes]() for _ in numbers]
        for number, flight in zip(numbers, flights, strict=True):
            self._in_flight.setdefault((identity, number), flight)
        return Run(numbers.start, flights)

    def _fetched(self, identity: Hashable, run: Run, fetch: Fetch, size: int) -> dict[int, bytes]:
        start, stop = run.first * BLOCK, min((run.first + len(run.flights)) * BLOCK, size)
        data = fetch(start, stop)
        found = {run.first + at // BLOCK: data[at : at + BLOCK] for at in range(0, len(data), BLOCK)}
        with self._lock:
            for number, flight in enumerate(run.flights, run.first):
                self._landed((identity, number), flight)
                self._keep((identity, number), found.setdefault(number, b""))
        for number, flight in enumerate(run.flights, run.first):
            flight.set_result(found[number])
        return found

    def _given_up(self, identity: Hashable, runs: list[Run], error: BaseException) -> None:
        with self._lock:
            for run in runs:
                for number, flight in enumerate(run.flights, run.first):
                    self._landed((identity, number), flight)
        for flight in (flight for run in runs for flight in run.flights if not flight.done()):
            flight.set_exception(error)

    def _landed(self, key: Block, flight: Future[bytes]) -> None:
        if self._in_flight.get(key) is flight:
            del self._in_flight[key]

    def _keep(self, key: Block, data: bytes) -> None:
        self._bytes += len(data) - len(self._kept.pop(key, b""))
        self._kept[key] = data
        while self._bytes > self.max_bytes:
            self._bytes -= len(self._kept.popitem(last=False)[1])


@cache
def _pool(_: int) -> ThreadPoolExecutor:
    """The threads of this process that fetch."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="blocks")


def _grouped(numbers: list[int]) -> Iterator[range]:
    """Ranges that hold all the numbers, with no gap longer than is worth a request."""
    at = 0
    while at < len(numbers):
        first = last = numbers[at]
        while at < len(numbers) and numbers[at] <= last + GAP + 1 and numbers[at] < first + LONGEST_RUN:
            last = numbers[at]
            at += 1
        yield range(first, last + 1)
