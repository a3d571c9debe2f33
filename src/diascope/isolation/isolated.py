"""A dataset that is opened and read in worker processes, and looks like any other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from math import prod
from pathlib import Path
from typing import Any, TypeVar
from weakref import finalize

import numpy as np

from diascope.errors import Changed, DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.image.level import Pixels, ReadPixels
from diascope.image.region import Region
from diascope.isolation.channel import Message
from diascope.isolation.description import ROLES
from diascope.isolation.lent import store_told
from diascope.isolation.pool import pool
from diascope.isolation.process import Ended, Process
from diascope.isolation.rebuilding import DatasetTold, LevelTold, NamesTold, rebuilt, told
from diascope.sources.dataset import Dataset
from diascope.sources.source import Source
from diascope.stores.store import Store

T = TypeVar("T")

_keys = count(1)


def isolated(source: Source, store: Store, path: str, owner: str) -> Dataset:
    """The dataset of a source that is not to be trusted; ``owner`` names the store among all of this process.

    Raises Quarantined where the reader has come to grief over this version of the file lately.
    """
    held = Held(source.name, store, path, f"{owner}/{path}", source.version(store, path))
    opened: DatasetTold = told(DatasetTold, held.run(held.opened))
    held.version = opened.version
    names = (getattr(opened, role) for role in ROLES)
    known = (each if each is None else dict.fromkeys(each) for each in names)
    images, labels, associated = (Images(held, k, each) for k, each in enumerate(known))
    return Dataset(version=opened.version, images=images, labels=labels, associated=associated, files=opened.files)


class Held:
    """A dataset that is open in the workers that have read of it, until nobody holds this."""

    def __init__(self, source: str, store: Store, path: str, place: str, version: str) -> None:
        self.source = source
        self.store = store
        self.path = path
        self.place = place
        """Unlike that of any other file of this process."""
        self.version = version
        """What was looked at before it was opened, and then what was opened."""
        self.key = next(_keys)
        finalize(self, pool().forget, self.key).atexit = False

    def run(self, action: Callable[[Process], T]) -> T:
        """What an action gives that asks a worker; raises Quarantined where the worker comes to grief."""
        workers = pool()
        workers.quarantine.check(self.place, self.version)
        try:
            return workers.run(self.key, action)
        except Ended as ended:
            seconds = workers.limits.quarantine
            raise workers.quarantine.placed(self.place, self.version, str(ended), seconds) from ended

    def opened(self, process: Process) -> Message:
        """What a worker tells of the dataset that it opens."""
        closing = list(process.datasets)[: max(len(process.datasets) - process.limits.datasets + 1, 0)]
        for key in closing:
            del process.datasets[key]
            process.unwanted.discard(key)
            process.desk.take_back(key)
        process.desk.lend(self.key, self.store)
        store = store_told(self.store)
        if "copies" in store:
            pool().copies.add(Path(store["copies"]))
        where = {"key": self.key, "source": self.source, "store": store, "path": self.path}
        try:
            answer = process.ask({"do": "open", "closing": closing, **where})
        except DiascopeError:
            process.desk.take_back(self.key)
            raise
        process.datasets[self.key] = None
        return answer

    def ask(self, **order: Any) -> Message:
        """A worker's answer about the version of the dataset that was opened."""
        return self.run(partial(self._asked, order))

    def _asked(self, order: Message, process: Process) -> Message:
        self._open_again(process)
        return process.ask({"key": self.key, **order})

    def _open_again(self, process: Process) -> None:
        """Raises Unreadable where the dataset has changed."""
        if self.key in process.datasets:
            process.datasets.move_to_end(self.key)
            return
        again: DatasetTold = told(DatasetTold, self.opened(process))
        if again.version != self.version:
            process.unwanted.add(self.key)
            del process.datasets[self.key]
            raise Changed("it has changed since it was opened")

    def read(self, order: Message, dtype: np.dtype[Any], region: Region) -> Pixels:
        """The pixels of a region of one level."""
        size = prod(region.shape) * dtype.itemsize
        if not size:
            return np.empty(region.shape, dtype)
        return self.run(partial(self._read, order, dtype, region, size))

    def _read(self, order: Message, dtype: np.dtype[Any], region: Region, size: int, process: Process) -> Pixels:
        if size > process.limits.memory:
            raise Unreadable(f"{size} bytes of pixels at once are more than its reader may have")
        process.memory.reserve(size)
        where = {"start": region.start, "stop": region.stop, "dtype": dtype.str}
        answer = self._asked({"do": "read", **order, **where}, process)
        stored = answer.get("order")
        if not isinstance(stored, list) or sorted(stored) != list(range(len(region.shape))):
            raise Unreadable("its reader tells of no order of the axes")
        return process.memory.taken(region.shape, dtype, tuple(stored))


@dataclass(frozen=True, slots=True, eq=False)
class Images(Mapping[str, Image]):
    """The images of a role; each is asked for when it is wanted."""

    held: Held
    role: int
    names: dict[str, None] | None
    """None where they are listed only when they are wanted."""

    def __getitem__(self, name: str) -> Image:
        if self.names is not None and name not in self.names:
            raise KeyError(name)
        answer = self.held.ask(do="image", role=self.role, name=name)
        if not answer:
            raise KeyError(name)
        return rebuilt(answer, partial(self._reads, name))

    def _reads(self, name: str, level: int, told: LevelTold) -> ReadPixels:
        order = {"role": self.role, "name": name, "level": level}
        return partial(self.held.read, order, np.dtype(told.dtype))

    def _listed(self) -> Collection[str]:
        if self.names is not None:
            return self.names
        listing: NamesTold = told(NamesTold, self.held.ask(do="names", role=self.role))
        return listing.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed())

    def __len__(self) -> int:
        return len(self._listed())

    def __contains__(self, name: object) -> bool:
        if self.names is not None:
            return name in self.names
        return self.held.ask(do="has", role=self.role, name=name).get("has") is True
