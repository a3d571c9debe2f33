"""How many requests were answered, and how long that took, by door, source, layout and status."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple, TypeAlias

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds, at most which the requests of a bucket took; those of the last bucket took longer."""

MOST = 2000
"""Combinations that are counted apart from each other; what others ask for decides on some of them."""


class Answered(NamedTuple):
    """What requests have in common that are counted together."""

    door: str
    source: str
    layout: str
    status: int


Series: TypeAlias = list[float]
"""How many requests fell into each bucket, and behind them the seconds of all."""


class Answers:
    """Counts of one process; used by the thread of its event loop alone."""

    def __init__(self) -> None:
        self.series: dict[Answered, Series] = {}

    def note(self, door: str, source: str, layout: str, status: int, seconds: float) -> None:
        """One more was answered."""
        series = self.series.get((door, source, layout, status))  # type: ignore[call-overload]  # a tuple equals it
        if series is None:
            series = self._new(Answered(door, source, layout, status))
        series[bisect_left(BOUNDS, seconds)] += 1
        series[-1] += seconds

    def _new(self, answered: Answered) -> Series:
        if len(self.series) >= MOST:
            answered = Answered(answered.door, "other", "other", answered.status)
        return self.series.setdefault(answered, [0.0] * (len(BOUNDS) + 2))
