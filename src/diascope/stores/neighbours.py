"""What one look at a folder of a distant store tells of all that lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diascope.stores.store import Stat


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The files and folders that lie below a folder, at any depth."""

    folder: str
    stats: Mapping[str, Stat]
    until: str | None
    """In the order of their paths all up to this one are known; None where all are."""

    def knows(self, path: str) -> bool:
        """Whether it is told of a path in the folder that it is there, or that it is not."""
        # A slash is followed by a nought: what begins with the path and a slash lies before that.
        return path in self.stats or self.until is None or f"{path}0" <= self.until
