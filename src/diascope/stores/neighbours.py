"""What one look at a folder of a distant store tells of all that lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diascope.stores.store import Stat


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The files and folders that lie below a folder."""

    folder: str
    stats: Mapping[str, Stat]
    """Of those whose size and version are told, at any depth."""
    until: str | None
    """In the order of their paths all up to this one are known; None where all are."""
    names: frozenset[str] | None = None
    """All names right in the folder but hidden ones, where they are told without more."""

    def knows(self, path: str) -> bool:
        """Whether it is told of a path in the folder that it is there, or that it is not."""
        # A slash is followed by a nought: what begins with the path and a slash lies before that.
        if path in self.stats or self.until is None or f"{path}0" <= self.until:
            return True
        folder, _, name = path.rpartition("/")
        return self.names is not None and folder == self.folder and name[0] != "." and name not in self.names
