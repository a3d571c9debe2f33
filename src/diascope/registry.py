"""Plug-ins, found by the entry-point group they register in and imported when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """The plug-ins of one group by name, in the alphabetical order of their names."""

    def __init__(self, group: str) -> None:
        self.group = group
        self._loaded: dict[str, T] = {}
        self._lock = Lock()

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in sorted(entry_points(group=self.group), key=lambda entry: entry.name)}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            entry = self._entry_points[name]
            with self._lock:
                self._loaded[name] = entry.load()
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entry_points)

    def __len__(self) -> int:
        return len(self._entry_points)

    def __contains__(self, name: object) -> bool:
        return name in self._entry_points


@cache
def registry(room: str) -> Registry[Any]:
    """The plug-ins of one room: ``sources``, ``operations`` or ``layouts``."""
    return Registry(f"diascope.{room}")
