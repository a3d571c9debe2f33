"""What opening a file gives: its images by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from diascope.image.image import Image

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """The images of one file, or of one folder that is a format's unit.

    It holds open files until nobody holds it or one of its images.
    """

    version: str
    """Changes when the stored bytes do."""
    images: Mapping[str, Image]
    """At least one. A name may have slashes, as the wells of a plate; each part is a safe file name."""
    labels: Mapping[str, Image] = field(default_factory=dict)
    associated: Mapping[str, Image] = field(default_factory=dict)
    """Pictures beside the image: the ``label``, ``macro`` and ``thumbnail`` of a slide."""
    files: tuple[str, ...] = ()
    """The paths in the store that it is made of, the main one first; a folder stands for all that is in it."""


class Lazily(Mapping[str, V], Generic[V]):
    """A mapping whose values are made when they are first asked for, and kept."""

    def __init__(self, names: Iterable[str], make: Callable[[str], V]) -> None:
        """Names that are a mapping are asked, and listed only when these are: listing a plate's fields has a cost."""
        self._names: Mapping[str, object] = names if isinstance(names, Mapping) else dict.fromkeys(names)
        self._make = make
        self._made: dict[str, V] = {}
        self._lock = Lock()

    def __getitem__(self, name: str) -> V:
        if name not in self._names:
            raise KeyError(name)
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names
