"""Groups, and what lies in them: one link at a time, none of which leads out of the file unasked.

A path is never given to the library, which would follow whatever links it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from diascope.errors import DiascopeError
from diascope.image.level import Pixels
from diascope.optional import library
from diascope.sources.reading.h5.array import Array, array_of, scalar_of
from diascope.sources.reading.h5.attributes import Attributes
from diascope.sources.reading.h5.file import EXTRA, Files, NotTaken

TROUBLE = (KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py raises of broken objects."""

MOST_LINKS = 1 << 17
"""A group of more links than this shows the first so many."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group."""

    files: Files
    """The file that it lies in, and those that links lead to."""
    id: Any
    path: str

    @property
    def attributes(self) -> Attributes:
        return Attributes(self.id)

    @property
    def place(self) -> tuple[int, ...]:
        """The same of two groups only where they are one."""
        return place_of(self.id)

    def names(self) -> list[str]:
        """What its links are called, sorted by the library; those that are no text are left out."""
        found = (name.decode("utf-8", "replace") for name in islice(iter(self.id), MOST_LINKS))
        return [name for name in found if "\ufffd" not in name]

    def children(self) -> Iterator[tuple[str, Node | str]]:
        """What lies in it by name, or why it is not looked at."""
        for name in self.names():
            try:
                yield name, self.child(name)
            except NotTaken as error:
                yield name, str(error)

    def child(self, name: str) -> Node:
        """What a name leads to; raises NotTaken where it is nothing, is not followed, or cannot be read."""
        where = f"{self.path}/{name}" if self.path else name
        try:
            return self._child(name, where)
        except DiascopeError:
            raise
        except TROUBLE as error:
            raise NotTaken(f"{where} cannot be read: {error}") from error

    def _child(self, name: str, where: str) -> Node:
        h5py = library("h5py", EXTRA)
        link = self._link(name, where)
        if link == h5py.h5l.TYPE_HARD:
            return _node(self.files, self._opened(name), where)
        if link == h5py.h5l.TYPE_EXTERNAL:
            file, path = self.id.links.get_val(name.encode())
            return _walked(root(self.files.linked(file.decode("utf-8", "replace"))), path, where)
        raise NotTaken(f"{where} is a soft link, which is not followed")

    def group(self, *names: str) -> Group | None:
        """The group at the end of some names, None where there is none."""
        found = self.at(*names)
        return found if isinstance(found, Group) else None

    def array(self, *names: str) -> Array | None:
        """The array at the end of some names, None where there is none."""
        found = self.at(*names)
        return found if isinstance(found, Array) else None

    def at(self, *names: str) -> Node | None:
        """What lies at the end of some names, None where nothing does. Raises NotTaken where it cannot be read."""
        found: Node = self
        for name in names:
            if not isinstance(found, Group) or not found.has(name):
                return None
            found = found.child(name)
        return found

    def attributes_of(self, name: str) -> Attributes | None:
        """Those of whatever lies in it by this name, also of a single value."""
        return Attributes(self._opened(name)) if self._is_hard(name) else None

    def scalar(self, name: str) -> Pixels | None:
        """A single number that lies in it by this name, None where there is no such thing."""
        h5py = library("h5py", EXTRA)
        found = self._opened(name) if self._is_hard(name) else None
        return scalar_of(found) if isinstance(found, h5py.h5d.DatasetID) else None

    def has(self, name: str) -> bool:
        return bool(name) and "/" not in name and self.id.links.exists(name.encode())

    def _is_hard(self, name: str) -> bool:
        h5py = library("h5py", EXTRA)
        return self.has(name) and self._link(name, name) == h5py.h5l.TYPE_HARD

    def _link(self, name: str, where: str) -> int:
        if not self.has(name) or name == ".":
            raise NotTaken(f"there is no {where}")
        return int(self.id.links.get_info(name.encode()).type)

    def _opened(self, name: str) -> Any:
        """What a link leads to that is known to be a hard one."""
        return library("h5py", EXTRA).h5o.open(self.id, name.encode())


Node: TypeAlias = Group | Array


def root(files: Files) -> Group:
    """All that is in a file."""
    h5py = library("h5py", EXTRA)
    return Group(files, h5py.h5g.open(files.main.h5.id, b"/"), "")


def dereferenced(group: Group, reference: Any) -> Node | None:
    """What a reference to an object leads to, None where it is none."""
    h5py = library("h5py", EXTRA)
    if not isinstance(reference, h5py.Reference) or not reference:
        return None
    found = h5py.h5r.dereference(reference, group.files.main.h5.id)
    name = (h5py.h5i.get_name(found) or b"").decode("utf-8", "replace").strip("/")
    return _node(group.files, found, name)


def place_of(id: Any) -> tuple[int, ...]:
    h5py = library("h5py", EXTRA)
    info = h5py.h5o.get_info(id)
    return int(info.fileno), int(info.addr)


def _walked(start: Group, path: bytes, where: str) -> Node:
    """What lies at a path of another file, whose own links to files are not followed."""
    names = [name for name in path.decode("utf-8", "replace").split("/") if name]
    found = start.at(*names)
    if found is None:
        raise NotTaken(f"{where} leads to another file, which has no {'/'.join(names)[:200]}")
    return found


def _node(files: Files, id: Any, where: str) -> Node:
    h5py = library("h5py", EXTRA)
    if isinstance(id, h5py.h5g.GroupID):
        return Group(files, id, where)
    if isinstance(id, h5py.h5d.DatasetID):
        return array_of(files.main, id, where)
    raise NotTaken(f"{where} is neither a group nor an array")
