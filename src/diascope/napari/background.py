"""Work that must not hold up the window, in threads of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from qtpy.QtCore import QObject, Qt, Signal

from diascope.errors import DiascopeError

T = TypeVar("T")

THREADS = 4

REQUEST = re.compile(r"^https?://\S+: ")
"""What a server's own words come after."""


class _Mailbox(QObject):  # type: ignore[misc] # Qt has no types here
    """Takes calls from any thread and makes them in that of the window."""

    arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.arrived.connect(self._open, Qt.ConnectionType.QueuedConnection)

    def _open(self, call: Callable[[], None]) -> None:
        call()


class Background:
    """Questions by topic: only the one asked last of a topic is answered, so an old answer never replaces a new one."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        """``failed`` is told a sentence, in the window's thread."""
        self._failed = failed
        self._asked: Counter[str] = Counter()
        self._mailbox = _Mailbox()
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._stopped = False
        # Nobody who closes the window waits for a server.
        for _ in range(THREADS):
            Thread(target=_worked, args=(self._work,), name="diascope-browser", daemon=True).start()

    def ask(
        self,
        topic: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        undone: Callable[[], None] = lambda: None,
    ) -> None:
        """Call ``done`` with what the work gives, or ``undone`` where it fails, in the window's thread."""
        self.forget(topic)
        number = self._asked[topic]

        def is_wanted() -> bool:
            return not self._stopped and self._asked[topic] == number

        def failed(sentence: str) -> None:
            self._failed(sentence)
            undone()

        def outcome() -> Callable[[], None]:
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001 - told in the widget, whatever it is
                sentence = told(error)
                return lambda: failed(sentence)
            return lambda: done(answer)

        def worked() -> None:
            if is_wanted():
                call = outcome()
                self._mailbox.arrived.emit(lambda: call() if is_wanted() else None)

        self._work.put(worked)

    def forget(self, topic: str) -> None:
        """Answer nothing of this topic that was asked until now."""
        self._asked[topic] += 1

    def stop(self) -> None:
        """Answer nothing any more: the window is gone."""
        self._stopped = True
        for _ in range(THREADS):
            self._work.put(None)


def _worked(queue: SimpleQueue[Callable[[], None] | None]) -> None:
    while (work := queue.get()) is not None:
        work()


def told(error: Exception) -> str:
    """An error as a sentence, without the address of the request that met it."""
    sentence = REQUEST.sub("", " ".join(str(error).split()))
    known = isinstance(error, DiascopeError | OSError)
    return sentence if known and sentence else f"{type(error).__name__}: {sentence}"
