"""The indices of repositories, made in the background and kept true, beside the serving and never before it."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread, get_native_id
from time import monotonic, thread_time
from typing import Any

from diascope.catalogue.index import Index
from diascope.catalogue.repository import Repository
from diascope.catalogue.scan import scanned, swept
from diascope.errors import Unreadable

log = logging.getLogger(__name__)

REST = 1.0
"""After each step one rests as long as it took, times this."""

SELDOM = 20
"""All folders are looked at again no sooner than after so many times the work that it is."""

NICE = 10
"""The priority of the thread, where that of a thread can be set."""


def index_of(identity: str, folder: Path | None) -> Index | None:
    """The index of the repository with this identity, a path or URL; None, and a warning, where none can be made."""
    place = folder or _cache_folder()
    try:
        return Index(place / f"{sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.sqlite")
    except Unreadable as error:
        log.warning("search walks the folders: %s", error)
        return None


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diascope" / "index"


def keep_indexed(repositories: Mapping[str, Repository], seconds: float) -> Event:
    """Look into all folders in a thread, and every so often again; it ends when the event is set."""
    stop = Event()
    indexed = [(each, each.index) for each in repositories.values() if each.index]
    if indexed:
        Thread(target=_keep, args=(indexed, seconds, stop), name="diascope-index", daemon=True).start()
    return stop


def _keep(indexed: list[tuple[Repository, Index]], seconds: float, stop: Event) -> None:
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)
    while not stop.is_set():
        begun, worked = monotonic(), thread_time()
        for repository, index in indexed:
            # Another server may have the file, the disk may be full: it is tried again.
            with suppress(sqlite3.Error, OSError), alone(index.path) as is_alone:
                if is_alone:
                    _paced(scanned(repository, index), stop)
                    _paced(swept(repository, index), stop)
                    _paced(scanned(repository, index), stop)
        stop.wait(max(seconds, SELDOM * (thread_time() - worked), monotonic() - begun))


def _paced(steps: Iterable[Any], stop: Event) -> None:
    begun = monotonic()
    for _ in steps:
        if stop.wait(REST * (monotonic() - begun)):
            return
        begun = monotonic()


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether no other process looks into folders for this index; none begins to meanwhile."""
    if sys.platform == "win32":
        yield True
        return
    import fcntl

    with Path(f"{path}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
