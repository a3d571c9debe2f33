"""One process that answers requests on a listening socket until it is told to stop."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import ceil

import uvicorn

from diascope.access.at_once import connection_class
from diascope.access.http import Server
from diascope.commands.warming import warm_up

GARBAGE = 20_000
"""Objects that come into being, and stay, before it is looked for circles among them."""

WARMING_SECONDS = 1.0
"""The first requests come first."""


class _Server(uvicorn.Server):
    """Stops once it is told to, and keeps that to itself: whoever started it goes on behind it."""

    def __init__(self, config: uvicorn.Config, signals: Iterable[signal.Signals]) -> None:
        super().__init__(config)
        self._signals = tuple(signals)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {each: signal.signal(each, self.handle_exit) for each in self._signals}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def serve(
    app: Server,
    listener: socket.socket,
    seconds: float,
    signals: Iterable[signal.Signals] = (signal.SIGINT, signal.SIGTERM),
) -> None:
    """Serve until one of the signals comes; then accept nothing more, and finish what is under way in so many seconds.

    A second interrupt ends that too.
    """
    # What is there from the beginning is never garbage: the collector need not walk over it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 50, 100)
    warm_up(WARMING_SECONDS)
    config = uvicorn.Config(
        app,
        http=connection_class(app.connections, app.ready),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=ceil(seconds),
    )
    _Server(config, signals).run(sockets=[listener])
