"""Broken twins: trees of which one thing is changed."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from diascope.tree.file import Entry, File, Tree, in_memory
from tests.conformance.records import Twin

Change = Callable[[bytes], bytes | None]
"""Other bytes for a file, or None where it is to be missing."""


@dataclass
class Changed:
    """A tree in which the files whose path has a pattern have other bytes; it remembers whether any was asked for."""

    tree: Tree
    pattern: re.Pattern[str]
    change: Change
    broken: list[str] = field(default_factory=list)
    """The paths that were asked for and are not as they were."""
    faults: list[Exception] = field(default_factory=list)
    """What went wrong in the changing: such a twin proves nothing."""

    _last: tuple[str, File | None] = ("", None)
    """A large file is asked for range by range."""

    def file(self, path: str) -> File | None:
        if not self.pattern.search(path):
            return self.tree.file(path)
        last, file = self._last
        if last != path:
            file = self._changed(path)
            self._last = (path, file)
        return file

    def _changed(self, path: str) -> File | None:
        file = self.tree.file(path)
        if file is None:
            return None
        other, located = self._other(path, file), file.located
        if other is None or located is None:
            return other
        return replace(other, located=lambda url: self._other(path, located(url)))

    def _other(self, path: str, file: File) -> Any:
        before = file.read(0, None)
        try:
            data = self.change(before)
        except Exception as error:
            self.faults.append(error)
            raise
        if data != before:
            self.broken.append(path)
        return None if data is None else in_memory(data, file.media_type)

    def entries(self, path: str) -> Iterator[Entry] | None:
        listed = self.tree.entries(path)
        return None if listed is None else (e for e in listed if e.is_folder or self.file(f"{path}/{e.name}"))


def changed(name: str, pattern: str, change: Change) -> Twin:
    """A twin in which the files whose path has a pattern have other bytes."""
    return Twin(name=name, broken=lambda tree: Changed(tree, re.compile(pattern), change))


def lost(name: str, pattern: str) -> Twin:
    """A twin that lacks files: many readers take them for zeros."""
    return changed(name, pattern, lambda _: None)


def corrupt(name: str, pattern: str) -> Twin:
    """A twin with zeros in the middle of files."""
    middle = 16
    return changed(name, pattern, lambda data: data[: len(data) // 2] + bytes(middle) + data[len(data) // 2 + middle :])


def truncated(name: str, pattern: str) -> Twin:
    return changed(name, pattern, lambda data: data[: len(data) // 2])


def edited(name: str, pattern: str, edit: Callable[[Any], object]) -> Twin:
    """A twin with a mistake in a JSON document."""

    def change(data: bytes) -> bytes:
        document = json.loads(data)
        edit(document)
        return json.dumps(document).encode()

    return changed(name, pattern, change)


def packed(name: str, pattern: str, at: int, form: str, value: float) -> Twin:
    """A twin with another number at a place of a binary file."""

    def change(data: bytes) -> bytes:
        other = bytearray(data)
        struct.pack_into(form, other, at, value)
        return bytes(other)

    return changed(name, pattern, change)


def replaced(name: str, pattern: str, old: bytes, new: bytes) -> Twin:
    """A twin with other words in a file."""
    return changed(name, pattern, partial(_replaced, old=old, new=new))


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data, f"{old!r} is not in the file"
    return data.replace(old, new, 1)
