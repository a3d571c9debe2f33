"""The worker processes that there are, and which of them reads what."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import RLock, Thread
from time import monotonic
from typing import TypeVar

from diascope.errors import DiascopeError, Overloaded, Unavailable
from diascope.haste import pause
from diascope.isolation import folder
from diascope.isolation.limits import Limits
from diascope.isolation.process import Ended, Process
from diascope.isolation.quarantine import Quarantine
from diascope.isolation.turns import Turns
from diascope.stores.copies import sweep

T = TypeVar("T")

log = logging.getLogger(__name__)

IDLE = 600.0
"""Seconds after which a worker ends that nobody has needed."""

CLOSING = 5.0
"""Seconds that closing datasets may take, during which no worker can be started."""

ATTEMPTS = 3
"""How often a worker is started that ends before it has begun."""


@dataclass(slots=True, eq=False)
class Seat:
    """The right to have one worker; a worker that was lost is replaced in the same seat."""

    process: Process | None = None


class Pool:
    """Workers are started when they are needed, each serves one request at a time, and further requests wait.

    A request is sent to a worker that has its dataset open, if one is free.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.quarantine = Quarantine()
        self.copies: set[Path] = set()
        """The folders in which workers have made local copies."""
        self._idle: list[Process] = []
        self._processes: set[Process] = set()
        self._seats = 0
        self._lock = RLock()
        self._turns = Turns(self._lock)
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._keeper: Thread | None = None
        self._is_closed = False

    @property
    def alive(self) -> int:
        """How many workers there are."""
        return len(self._processes)

    def limit(self, limits: Limits) -> None:
        """From now on these limits hold; workers that have others end as soon as they are free."""
        with self._lock:
            if limits == self.limits:
                return
            self.limits = limits
            idle, self._idle = self._idle, []
            self._processes.difference_update(idle)
            self._turns.call()
        for process in idle:
            process.end()

    def run(self, key: int, action: Callable[[Process], T]) -> T:
        """What an action gives that asks one worker about the dataset of this key.

        Where the worker is lost, another dataset may have been the cause: the action is tried once more in a new one.
        Raises Ended where it was this dataset, and Overloaded where no worker is free in time.
        """
        pause()
        with self._seated(key) as seat:
            try:
                return self._tried(seat, key, action)
            except Ended as ended:
                if ended.is_certain:
                    raise
            return self._tried(seat, key, action)

    def _tried(self, seat: Seat, key: int, action: Callable[[Process], T]) -> T:
        if seat.process is None or not seat.process.is_alive:
            with self._lock:
                self._processes -= {seat.process}
            seat.process = self._started()
        seat.process.has_served.add(key)
        return action(seat.process)

    @contextmanager
    def _seated(self, key: int) -> Iterator[Seat]:
        seat = self._taken(key)
        try:
            yield seat
        finally:
            self._given_back(seat)

    def _taken(self, key: int) -> Seat:
        with self._lock:
            if len(self._turns) >= self.limits.waiting:
                raise Overloaded(f"{len(self._turns)} requests wait for processes that read already")
            if not self._turns.come(self._has_room, self.limits.seconds):
                raise Overloaded(f"no process that reads was free for {self.limits.seconds:g} s")
            self._seats += 1
            if not self._idle:
                return Seat()
            best = max(self._idle, key=lambda process: (key in process.datasets, process.used))
            self._idle.remove(best)
            return Seat(best)

    def _has_room(self) -> bool:
        return self._seats < self.limits.workers

    def _given_back(self, seat: Seat) -> None:
        process = seat.process
        with self._lock:
            if process and (self._is_closed or process.limits != self.limits):
                process.end()
            if process and not process.is_alive:
                self._processes.discard(process)
            elif process and process.unwanted:
                self._jobs.put(partial(self._tidied, seat))
                return
            elif process:
                self._idle.append(process)
            self._seats -= 1
            self._turns.call()

    def _started(self) -> Process:
        """A new worker; raises Unavailable where there is none after several attempts."""
        for _ in range(ATTEMPTS):
            process = self._born()
            if process.greeted():
                return process
            with self._lock:
                self._processes.discard(process)
        raise Unavailable("a process that reads was started, and ended at once; what it said is in the server's log")

    def _born(self) -> Process:
        """By the thread that starts all of them: the kernel ends the children of a thread that ends."""
        future: Future[Process] = Future()

        def start() -> None:
            try:
                process = Process(self.limits)
            except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
                future.set_exception(error)
                return
            with self._lock:
                self._processes.add(process)
            future.set_result(process)

        self._kept_busy(start)
        try:
            return future.result()
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"no process that reads can be started: {error}") from error

    def _kept_busy(self, job: Callable[[], object]) -> None:
        """The keeper does the job next; raises Overloaded where it does nothing any more."""
        with self._lock:
            if self._is_closed:
                raise Overloaded("this process is about to end")
            if self._keeper is None:
                self._keeper = Thread(target=self._keep, name="diascope-readers", daemon=True)
                self._keeper.start()
            self._jobs.put(job)

    def _keep(self) -> None:
        job: Callable[[], object] | None = folder.sweep
        while job is not None:
            try:
                job()
            except Exception:
                log.exception("A worker could not be looked after.")
            try:
                job = self._jobs.get(timeout=IDLE / 10)
            except Empty:
                job = self._rested

    def forget(self, key: int) -> None:
        """Nobody holds the dataset of this key any more: it is closed soon. May be called at any moment."""
        self._jobs.put(partial(self._unwanted, key))

    def _unwanted(self, key: int) -> None:
        with self._lock:
            holders = [process for process in self._processes if key in process.datasets]
            for process in holders:
                process.unwanted.add(key)
            idle = [process for process in holders if process in self._idle]
            for process in idle:
                self._idle.remove(process)
            self._seats += len(idle)
        for process in idle:
            self._tidied(Seat(process))

    def _tidied(self, seat: Seat) -> None:
        """Its worker closes what nobody wants."""
        try:
            if seat.process is not None:
                self._closed(seat.process)
        finally:
            self._given_back(seat)

    @staticmethod
    def _closed(process: Process) -> None:
        keys = list(process.unwanted)
        process.unwanted.clear()
        with suppress(Ended, DiascopeError):
            process.ask({"do": "close", "keys": keys}, CLOSING)
        for key in keys:
            process.datasets.pop(key, None)
            process.desk.take_back(key)

    def _rested(self) -> None:
        """End the workers that nobody has needed for long."""
        with self._lock:
            rested = [process for process in self._idle if monotonic() - process.used > IDLE]
            self._idle = [process for process in self._idle if process not in rested]
            self._processes.difference_update(rested)
        for process in rested:
            process.end()

    def close(self) -> None:
        """End all workers, and start none any more."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            busy, self._processes = self._processes.difference(idle), set()
        self._jobs.put(None)
        for process in idle:
            process.end()
        for process in busy:
            process.kill()
        for place in self.copies:
            with suppress(OSError):
                sweep(place)

    def forsake(self) -> None:
        """In a child that was forked: the workers are its parent's."""
        for process in self._processes:
            process.forget()


class _Current:
    """The pool of this process."""

    def __init__(self) -> None:
        self.pool = Pool(Limits())
        self.inherited: list[Pool] = []

    def renew(self) -> None:
        """Begin anew in a child that was forked."""
        self.pool.forsake()
        self.inherited.append(self.pool)
        self.pool = Pool(self.pool.limits)

    def close(self) -> None:
        self.pool.close()


_current = _Current()
atexit.register(_current.close)
os.register_at_fork(after_in_child=_current.renew)


def pool() -> Pool:
    """The workers of this process; there is one set of them, however many servers it has, as the machine is one."""
    return _current.pool
