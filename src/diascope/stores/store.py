"""What a store is: a place of files and folders that are read where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stat:
    """What is known of a path without reading it."""

    is_folder: bool
    size: int
    version: str
    """Changes when the bytes do, as far as the store can tell without reading them."""
    modified: float | None = None
    """When it last changed, in seconds since 1970; None where the store does not say."""


class Blob(Protocol):
    """An open file. It is closed when nobody holds it any more, so that a reader in flight is never cut off."""

    @property
    def stat(self) -> Stat:
        """As the file was when it was opened."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where the file ends sooner; called from many threads."""
        ...


class Store(Protocol):
    """Paths are relative, joined by ``/``, ``""`` being the root; none may lead out of it.

    A path with an empty, ``.`` or ``..`` segment raises BadRequest, one that leads out of the root Forbidden.
    """

    def stat(self, path: str) -> Stat | None:
        """None where there is nothing."""
        ...

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        """The name of everything in a folder, and whether it is a folder, in any order; hidden names are left out."""
        ...

    def open(self, path: str) -> Blob:
        """Raises NotFound where there is no such file."""
        ...

    def read(self, path: str) -> bytes | None:
        """All the bytes of a small file, None where there is no such file."""
        ...

    def local_path(self, path: str) -> str | None:
        """Where a library that wants a local file finds this one, None where it is not local."""
        ...
