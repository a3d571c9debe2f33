"""Plug-ins, found by the entry-point group they register in and imported when first asked for."""

from __future__ import annotations

import logging
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from contextlib import contextmanager
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")

LOG = logging.getLogger("diascope.plugins")


class Registry(Mapping[str, T], Generic[T]):
    """The plug-ins of one group by name, in the alphabetical order of their names.

    One that cannot be imported raises why when it is asked for by name; among all of them it is left out, and logged
    once, so that one that somebody else wrote takes no image away but its own.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self._loaded: dict[str, T] = {}
        self._added: dict[str, T] = {}
        self._broken: set[str] = set()
        self._lock = Lock()

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in sorted(entry_points(group=self.group), key=lambda entry: entry.name)}

    @contextmanager
    def including(self, name: str, plugin: T) -> Iterator[None]:
        """While the block runs there is one plug-in more, which no installed package registers."""
        before = self._added
        self._added = {**before, name: plugin}
        try:
            yield
        finally:
            self._added = before

    def __getitem__(self, name: str) -> T:
        if name in self._added:
            return self._added[name]
        if name not in self._loaded:
            entry = self._entry_points[name]
            with self._lock:
                self._loaded[name] = entry.load()
        return self._loaded[name]

    def values(self) -> ValuesView[T]:
        return self._working().values()

    def items(self) -> ItemsView[str, T]:
        return self._working().items()

    def _working(self) -> dict[str, T]:
        found: dict[str, T] = {}
        for name in self:
            try:
                found[name] = self[name]
            except Exception:  # whatever somebody's module does when it is imported
                if name not in self._broken:
                    self._broken.add(name)
                    LOG.exception("the plug-in %s of %s cannot be imported and is left out", name, self.group)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._entry_points, *self._added})) if self._added else iter(self._entry_points)

    def __len__(self) -> int:
        return len({*self._entry_points, *self._added})

    def __contains__(self, name: object) -> bool:
        return name in self._added or name in self._entry_points


@cache
def registry(room: str) -> Registry[Any]:
    """The plug-ins of one room: ``sources``, ``operations`` or ``layouts``."""
    return Registry(f"diascope.{room}")
