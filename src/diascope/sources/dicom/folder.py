"""A folder of DICOM files: which of them are there, by its DICOMDIR (DICOM PS3.3, annex F) or by looking."""

from __future__ import annotations

from collections.abc import Iterator

from diascope.errors import BadRequest, Unreadable
from diascope.sources.dicom.file import instance
from diascope.sources.dicom.values import items, words
from diascope.sources.reading.beside import fingerprint
from diascope.stores.store import Store

DICOMDIR = "DICOMDIR"

MOST_FILES = 100_000
"""A folder of more files than this is no image."""

DEEPEST = 8
"""How many folders deep files are looked for."""


def files_in(store: Store, path: str) -> list[str]:
    """The paths of a folder's files in order: those that its DICOMDIR names, else all."""
    index = f"{path}/{DICOMDIR}" if path else DICOMDIR
    if store.stat(index) is None:
        return sorted(_walked(store, path))
    found = sorted({each for named in _named(store, index) if (each := _found(store, path, named))})
    if not found:
        raise Unreadable(f"none of the files that {index} names is there")
    return found


def _walked(store: Store, path: str) -> Iterator[str]:
    """Every folder once, whatever links lead to it."""
    waiting, seen, count = [(path, 0)], set(), 0
    while waiting:
        folder, deep = waiting.pop()
        stat = store.stat(folder)
        if stat is None or (stat.version and stat.version in seen):
            continue
        seen.add(stat.version)
        for name, is_folder in store.names(folder):
            count += 1
            if count > MOST_FILES:
                raise Unreadable(f"it has more than {MOST_FILES} files")
            full = f"{folder}/{name}" if folder else name
            if not is_folder:
                yield full
            elif deep < DEEPEST:
                waiting.append((full, deep + 1))


def _named(store: Store, index: str) -> list[list[str]]:
    records = items(instance(store, index).data, "DirectoryRecordSequence")
    if len(records) > MOST_FILES:
        raise Unreadable(f"its DICOMDIR has more than {MOST_FILES} records")
    return [name for record in records if (name := words(record, "ReferencedFileID"))]


def _found(store: Store, folder: str, names: list[str]) -> str | None:
    """The path of a file; file systems write the names of a medium in either case."""
    for spelt in (names, [name.lower() for name in names]):
        path = "/".join([folder, *spelt] if folder else spelt)
        try:
            if (stat := store.stat(path)) and not stat.is_folder:
                return path
        except BadRequest:
            return None
    return None


def folder_version(store: Store, path: str) -> str:
    """Of all the files: one that is added, taken away or replaced changes it."""
    return fingerprint(store, sorted(_walked(store, path)))
