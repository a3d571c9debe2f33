"""Open files of this process, of which there are a bounded number however many are held."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from threading import Lock
from typing import Protocol
from weakref import ref

from diascope.stores.cached_opening import opened

LEAST = 32
UNKNOWN = 512
"""Where no limit is told."""


class Descriptor:
    """A file opened for reading, closed when nobody holds it: one that somebody reads from is never closed."""

    __slots__ = ("number",)

    def __init__(self, path: str) -> None:
        self.number = -1
        # Opening a FIFO or a device could block for ever.
        self.number = opened(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)


class Holder(Protocol):
    """Who holds one, and can do without for a while."""

    used: bool
    """Since it was looked at last."""

    def rest(self) -> None:
        """Hold it no longer."""
        ...


class Holders:
    """Those who hold one now; beyond the most, the one that came first and was not used since is told to rest."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._all: OrderedDict[int, ref[Holder]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, holder: Holder) -> None:
        with self._lock:
            self._all[id(holder)] = ref(holder)
            for _ in range(2 * len(self._all)):
                if len(self._all) <= self.most:
                    return
                key, held = self._all.popitem(last=False)
                found = held()
                if found is not None and found is not holder and not found.used:
                    found.rest()
                elif found is not None:
                    found.used = False
                    self._all[key] = held

    def remove(self, holder: Holder) -> None:
        """It is called by finalizers, in any thread and at any time, and so waits for nobody."""
        self._all.pop(id(holder), None)


def most() -> int:
    """Half of the files that this process may open: sockets, libraries and databases need the others."""
    if sys.platform == "win32":
        return UNKNOWN
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNKNOWN if soft == resource.RLIM_INFINITY else max(soft // 2, LEAST)


holders = Holders(most())
