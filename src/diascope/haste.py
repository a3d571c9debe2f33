"""Work done in haste, by a thread that must never wait: that of the event loop, for which all others wait.

The same code runs in haste and at leisure. Before whatever may wait or take long it says so, and work that is done in
haste is given up there; whoever began it begins it again in a thread that may wait.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import local
from typing import TypeVar

T = TypeVar("T")


class Wait(BaseException):
    """The work would have to wait; like an interrupt it passes all that handles errors."""


class _Thread(local):
    is_hasty = False


_thread = _Thread()


def hastily(action: Callable[[], T]) -> T:
    """The result of an action that neither waits nor takes long; raises Wait where it would, and what it raises."""
    _thread.is_hasty = True
    try:
        return action()
    finally:
        _thread.is_hasty = False


def is_hasty() -> bool:
    """Whether this thread must not wait now."""
    return _thread.is_hasty


def pause() -> None:
    """What comes next may wait or take long: raises Wait where this thread must not."""
    if _thread.is_hasty:
        raise Wait
