"""What a thread works at: how much memory that may take, whether anybody still waits for it, how long its stages last.

Whoever starts the work says how much it may take; whoever is about to take memory claims it first. A thread that
nobody has told of any bound, as in a script, may take what it wants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, local
from time import perf_counter
from typing import TypeVar

from diascope.haste import pause

T = TypeVar("T")

HASTY = 1 << 20
"""Bytes that are taken in haste at the most (``diascope.haste``)."""


class Gone(BaseException):
    """Nobody waits for this work any more; like an interrupt it is no error that anybody tells of."""


class Larger(BaseException):
    """The work would take more memory than it may; like an interrupt it passes all that handles errors."""

    def __init__(self, nbytes: int) -> None:
        super().__init__(nbytes)
        self.nbytes = nbytes


@dataclass(slots=True, eq=False)
class Task:
    """What one thread at a time works at; whoever waits for it may look at it from another one."""

    allowed: int
    """Bytes that it may hold at once."""
    is_gone: bool = False
    """Whether nobody waits for it any more."""
    source: str = ""
    layout: str = ""
    """What it is about, as far as it has been found out."""
    named: Callable[[str], None] = field(default=lambda _: None)
    """Called with the key that a client has proven to have; raises Overloaded where it has too much under way."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds by stage, each without those within it."""
    _stage: str = "address"
    _since: float = 0.0

    def entered(self, stage: str) -> str:
        """The stage before this one."""
        now = perf_counter()
        before = self._stage
        self.stages[before] = self.stages.get(before, 0.0) + now - self._since
        self._stage, self._since = stage, now
        return before


class Count:
    """How often something was done, by whatever threads."""

    __slots__ = ("_lock", "value")

    def __init__(self) -> None:
        self.value = 0
        self._lock = Lock()

    def add(self) -> None:
        """Once more."""
        with self._lock:
            self.value += 1


NOTHING = ("", "")


class _Thread(local):
    task: Task | None = None
    subject = NOTHING


_thread = _Thread()


def done(task: Task, action: Callable[[], T]) -> T:
    """The result of an action that this thread does as part of a task.

    Raises Larger and Gone as what it does claims memory, and whatever the action raises.
    """
    _thread.task = task
    _thread.subject = NOTHING
    task._since = perf_counter()  # noqa: SLF001
    try:
        return action()
    finally:
        task.entered("address")
        _thread.task = None
        if _thread.subject is not NOTHING:
            task.source, task.layout = _thread.subject


def claim(nbytes: int) -> None:
    """About so many bytes are held from now on; raises Larger where they may not be, and Gone."""
    task = _thread.task
    if task is None:
        if nbytes > HASTY:
            pause()
        return
    if task.is_gone:
        raise Gone
    if nbytes > task.allowed:
        raise Larger(nbytes)


def check() -> None:
    """Raises Gone where nobody waits for what this thread does."""
    task = _thread.task
    if task is not None and task.is_gone:
        raise Gone


def on_behalf_of(key: str) -> None:
    """What this thread does is for a client that has proven to have a key."""
    task = _thread.task
    if task is not None:
        task.named(key)


def about(source: str, layout: str) -> None:
    """What this thread does concerns a source and a layout of these names."""
    _thread.subject = (source, layout)


def subject() -> tuple[str, str]:
    """The source and the layout that this thread's work was said to concern last; they are forgotten with it."""
    found = _thread.subject
    _thread.subject = NOTHING
    return found


def timed(stage: str, action: Callable[[], T]) -> T:
    """The result of an action, whose time is that of a stage."""
    task = _thread.task
    if task is None:
        return action()
    before = task.entered(stage)
    try:
        return action()
    finally:
        task.entered(before)
