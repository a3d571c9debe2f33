"""Work that must not hold up the window, in threads of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from napari.qt.threading import create_worker

from diascope.errors import DiascopeError

T = TypeVar("T")


class Background:
    """Questions by topic: only the one asked last of a topic is answered, so an old answer never replaces a new one."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        """``failed`` is told a sentence, in the window's thread."""
        self._failed = failed
        self._asked: Counter[str] = Counter()
        self._stopped = False

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

        def answered(outcome: Callable[[], None]) -> None:
            if not self._stopped and self._asked[topic] == number:
                outcome()

        def tried() -> Callable[[], None]:
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001 - told in the widget, whatever it is
                sentence = told(error)
                return lambda: failed(sentence)
            return lambda: done(answer)

        def failed(sentence: str) -> None:
            self._failed(sentence)
            undone()

        create_worker(tried, _connect={"returned": answered})

    def forget(self, topic: str) -> None:
        """Answer nothing of this topic that was asked until now."""
        self._asked[topic] += 1

    def stop(self) -> None:
        """Answer nothing any more: the window is gone."""
        self._stopped = True


def told(error: Exception) -> str:
    """An error as a sentence."""
    sentence = " ".join(str(error).split())
    known = isinstance(error, DiascopeError | OSError)
    return sentence if known and sentence else f"{type(error).__name__}: {sentence}"
