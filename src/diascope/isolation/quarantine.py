"""Files that are left alone for a while, because their reader came to grief."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from diascope.errors import Quarantined

MOST = 10_000
"""How many files are remembered."""


@dataclass(frozen=True, slots=True)
class Case:
    """A file in quarantine."""

    version: str
    reason: str
    until: float


class Quarantine:
    """The files by their place; one that has changed is free at once."""

    def __init__(self) -> None:
        self._cases: OrderedDict[str, Case] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """How many are left alone now."""
        with self._lock:
            now = monotonic()
            return sum(case.until > now for case in self._cases.values())

    def check(self, place: str, version: str) -> None:
        """Raises Quarantined where this version of the file is not to be opened now."""
        with self._lock:
            case = self._cases.get(place)
            if case is None:
                return
            left = case.until - monotonic()
            if case.version != version or left <= 0:
                del self._cases[place]
                return
        raise Quarantined(_told(case.reason, left))

    def placed(self, place: str, version: str, reason: str, seconds: float) -> Quarantined:
        """The error that tells of it; from now on for so many seconds the file is not opened."""
        with self._lock:
            self._cases[place] = Case(version, reason, monotonic() + seconds)
            self._cases.move_to_end(place)
            if len(self._cases) > MOST:
                self._cases.popitem(last=False)
        return Quarantined(_told(reason, seconds))


def _told(reason: str, seconds: float) -> str:
    return f"the process that read it {reason}; it is left alone for {max(seconds, 0):.0f} s, or until it changes"
