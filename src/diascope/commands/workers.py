"""Several processes that serve on one port: started, watched, replaced when they end, and stopped together.

All of them accept from one listening socket, which this process holds open: where one ends, nobody loses a connection
but its own clients, and those who wait to be accepted are accepted by another.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

from diascope.commands.worker import spelled
from diascope.errors import Unavailable
from diascope.settings import Settings

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)

WELL = 30.0
"""Seconds after which a worker that ends has not ended soon."""

SHORTEST, LONGEST = 0.2, 30.0
"""Seconds before a worker is replaced that failed to start, the first time and at the most."""

SOON = 1.0
"""Seconds before one is replaced that served, and ended soon, at the most: whoever asks waits that long."""

KILLED = 5.0
"""Seconds after the time to finish in which a worker has to end by itself."""

LOOKS = 1.0
"""Seconds between two looks at the workers, where no signal tells of one."""


@dataclass(slots=True, eq=False)
class Seat:
    """The place of a worker; one that ended is replaced in it."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    is_ready: bool = False
    """Whether the worker has served."""
    due: float = 0.0
    """When the next worker is started."""
    failures: int = 0
    """How many workers in a row ended soon."""

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ended(self) -> str:
        """How the worker ended, after which it is due to be replaced."""
        assert self.process is not None  # noqa: S101
        code, lived = self.process.returncode, monotonic() - self.since
        self.failures = self.failures + 1 if lived < WELL else 0
        most = SOON if self.is_ready else LONGEST
        delay = min(SHORTEST * 2 ** min(self.failures - 1, 20), most) if self.failures else 0.0
        self.due = monotonic() + delay
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        text = f"worker {self.number} (process {self.process.pid}) ended {how} after {lived:.0f} s"
        self.process = None
        return f"{text}; another one is started" + (f" in {delay:.1f} s" if delay else "")


@dataclass(slots=True, eq=False)
class Workers:
    """As many workers as the settings want."""

    settings: Settings
    listener: socket.socket
    _seats: list[Seat] = field(init=False)
    _news: SimpleQueue[int | dict[str, Any]] = field(default_factory=SimpleQueue)
    """Signals, and what the workers told."""

    def __post_init__(self) -> None:
        self._seats = [Seat(number) for number in range(self.settings.workers)]

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until a signal comes; ``ready`` is called once the first worker is.

        Raises Unavailable where that says that it cannot be.
        """
        with self._signals():
            try:
                self._start()
                self._until_ready()
                ready()
                self._until_signal()
            finally:
                self._stop()

    def _start(self) -> None:
        for seat in self._seats:
            if seat.process is None and seat.due <= monotonic():
                self._seat(seat)

    def _seat(self, seat: Seat) -> None:
        told, tells = os.pipe()
        orders = {
            "settings": spelled(self.settings.of_worker()),
            "listener": self.listener.fileno(),
            "told": tells,
            # One looks into the folders for all of them.
            "indexes": seat.number == 0,
        }
        try:
            seat.process = subprocess.Popen(
                [sys.executable, "-m", "diascope.commands.worker"],
                stdin=subprocess.PIPE,
                pass_fds=(self.listener.fileno(), tells),
            )
        finally:
            os.close(tells)
        seat.since, seat.is_ready = monotonic(), False
        # It is read by a thread of its own, lest a worker that does not read its orders holds up the others.
        Thread(target=self._converse, args=(seat, json.dumps(orders), told), daemon=True).start()

    def _converse(self, seat: Seat, orders: str, told: int) -> None:
        process = seat.process
        with os.fdopen(told) as answers, suppress(OSError, ValueError):
            assert process is not None  # noqa: S101
            assert process.stdin is not None  # noqa: S101
            process.stdin.write(orders.encode() + b"\n")
            process.stdin.flush()  # and it stays open: its end is that of this process
            for line in answers:
                news = json.loads(line)
                seat.is_ready = seat.process is process and "ready" in news
                self._news.put(news)

    def _until_ready(self) -> None:
        while True:
            news = self._next()
            if isinstance(news, dict) and "error" in news:
                raise Unavailable(news["error"])
            if isinstance(news, dict) or news in SIGNALS:
                self._news.put(news)
                return
            self._replace()

    def _until_signal(self) -> None:
        while (news := self._next()) not in SIGNALS:
            if isinstance(news, dict) and "error" in news:
                log.error("a worker cannot serve: %s", news["error"])
            self._replace()

    def _next(self) -> int | dict[str, Any] | None:
        due = [seat.due - monotonic() for seat in self._seats if seat.process is None]
        try:
            return self._news.get(timeout=max(0.0, min(LOOKS, *due)) if due else LOOKS)
        except Empty:
            return None

    def _replace(self) -> None:
        for seat in self._seats:
            if seat.process is not None and not seat.is_running:
                log.warning("%s", seat.ended())
        self._start()

    def _stop(self) -> None:
        """Have all of them finish what is under way, and end those that do not."""
        running = [seat.process for seat in self._seats if seat.process is not None]
        for process in running:
            process.terminate()
        self.listener.close()
        end = monotonic() + self.settings.stop_seconds + KILLED
        for process in running:
            try:
                process.wait(max(0.0, end - monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("worker process %d did not end in time and was killed", process.pid)
                process.kill()
                process.wait()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals are news, a second one to stop raises."""
        stops = 0

        def handle(number: int, _: object) -> None:
            nonlocal stops
            stops += number in SIGNALS
            if stops > 1 and number == signal.SIGINT:
                for seat in self._seats:
                    if seat.process is not None:
                        seat.process.kill()
            self._news.put(number)

        before = {each: signal.signal(each, handle) for each in (*SIGNALS, signal.SIGCHLD)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
