"""The order of keys: that of the UTF-8 bytes of whole paths, in which a folder's name has a slash behind it.

Texts compare by code points as their UTF-8 compares by bytes, so that ``str`` has the order already. What is listed
in this order can be listed from any key on, without what comes before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from heapq import nsmallest
from operator import itemgetter
from typing import Protocol, TypeVar, runtime_checkable

from diascope.errors import BadRequest, Forbidden, NotFound, Unreadable, Unsupported
from diascope.tree.file import Entry, File, Tree

T = TypeVar("T")

BLOCK = 1001
"""How many entries of an unordered folder are kept in memory: one more than a page of a listing has."""


@runtime_checkable
class Ordered(Protocol):
    """A tree that knows the order of its keys."""

    def file(self, path: str) -> File | None: ...

    def entries(self, path: str) -> Iterator[Entry] | None: ...

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        """What is in the folder in the order of keys, without those before ``start``; None where it is no folder."""
        ...


def key(entry: Entry) -> str:
    """What an entry is ordered by."""
    return entry.name + "/" * entry.is_folder


def entries_from(tree: Tree, path: str, start: str) -> Iterator[Entry] | None:
    """The entries of a folder of any tree in the order of keys, without those before ``start``."""
    if isinstance(tree, Ordered):
        return tree.entries_from(path, start)
    if tree.entries(path) is None:
        return None
    return in_blocks(lambda: tree.entries(path) or (), key, start)


def in_blocks(look: Callable[[], Iterable[T]], by: Callable[[T], str], start: str) -> Iterator[T]:
    """What every look gives, ordered, from a key on: a look a block, and never more than a block in memory."""
    while True:
        low = start
        known = ((by(each), each) for each in look())
        block = nsmallest(BLOCK, (pair for pair in known if pair[0] >= low), key=itemgetter(0))
        yield from (each for _, each in block)
        if len(block) < BLOCK:
            return
        start = f"{block[-1][0]}\0"


def keys(tree: Tree, top: str, prefix: str, start: str, *, deep: bool) -> Iterator[str]:
    """The keys below the folder ``top`` that begin with ``prefix`` and are not before ``start``, in order.

    A key is the path of a file below ``top``. Where not ``deep``, a folder that has keys from ``start`` on stands for
    all of them, with a slash behind it. Names that UTF-8 cannot spell have no key.
    """
    start = max(start, prefix)
    base = prefix[: prefix.rfind("/") + 1]
    # A stack, not recursion: folders may lie deeper than Python's.
    stack = [(base, _below(tree, top, base, start))]
    while stack:
        base, entries = stack[-1]
        entry = next(entries, None)
        found = base + key(entry) if entry else ""
        if entry is None:
            stack.pop()
        elif not found.startswith(prefix):
            return
        elif any("\ud800" <= letter <= "\udfff" for letter in entry.name):
            continue
        elif entry.is_folder and deep:
            stack.append((found, _shown_below(tree, top, found, start)))
        elif found >= start or next(keys(tree, top, found, start, deep=True), None) is not None:
            yield found


def _below(tree: Tree, top: str, base: str, start: str) -> Iterator[Entry]:
    """What is in a folder and has, or leads to, keys from ``start`` on."""
    if start.startswith(base):
        name, slash, _ = start[len(base) :].partition("/")
        low = name + slash
    elif start < base:
        low = ""
    else:
        return iter(())
    path = "/".join(filter(None, (top, base.removesuffix("/"))))
    return entries_from(tree, path, low) or iter(())


def _shown_below(tree: Tree, top: str, base: str, start: str) -> Iterator[Entry]:
    """The same of a folder on the way: one that cannot be had, or not of this image, hides none of the others."""
    with suppress(BadRequest, Forbidden, NotFound, Unreadable, Unsupported):
        yield from _below(tree, top, base, start)
