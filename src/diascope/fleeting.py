"""What is true only for now, such as the zeros of chunks that nobody has written yet.

Who comes upon it notes so, and whoever keeps what was made meanwhile, in the same thread, keeps it not.
"""

from __future__ import annotations

from threading import local


class _Count(local):
    noted = 0


_count = _Count()


def note() -> None:
    """What this thread is making is true only for now."""
    _count.noted += 1


def noted() -> int:
    """How often this thread has noted so; what is made between two equal counts is true for ever."""
    return _count.noted
