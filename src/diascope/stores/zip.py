"""The files in a zip file, read in place (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import cached_property

from diascope.errors import BadRequest, NotFound, Unreadable
from diascope.stores.store import Blob, Stat
from diascope.stores.zip_directory import (
    DEFLATED,
    ENCRYPTED,
    HIGHEST_RATIO,
    LOCAL_SIZE,
    STORED,
    Member,
    directory,
)

LARGEST_INFLATED = 1 << 30
"""Bytes of a deflated member, which is inflated at once."""
MOST_FOLDERS = 1 << 20
NEAR = 1 << 16
"""A member that ends so near the next one is read with all that lies between."""


class ZipStore:
    """A store of what is in a zip file; the directory is read when it is made. Raises Unreadable with the reason."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._directory = directory(blob)

    def stat(self, path: str) -> Stat | None:
        found = self._directory.member(_checked(path))
        if found is not None:
            return self._stat(found)
        return Stat(is_folder=True, size=0, version=self._blob.stat.version) if path in self._folders else None

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        names = self._folders.get(_checked(path))
        if names is None:
            raise NotFound(f"there is no folder {path!r}")
        return ((name, is_folder) for name, is_folder in names.items() if not name.startswith("."))

    def open(self, path: str) -> Blob:
        """A stored member is read by ranges, of which no checksum tells; another one is unpacked here."""
        found = self._directory.member(_checked(path))
        if found is None:
            raise NotFound(f"there is no file {path!r}")
        if found.method == STORED and not found.flags & ENCRYPTED:
            return _Part(self._blob, self._start(found, path), self._stat(found))
        return _Held(self._unpacked(found, path), self._stat(found))

    def read(self, path: str) -> bytes | None:
        found = self._directory.member(_checked(path))
        return None if found is None else self._unpacked(found, path)

    def local_path(self, path: str) -> str | None:  # noqa: ARG002
        return None

    @cached_property
    def _folders(self) -> dict[str, dict[str, bool]]:
        """What is in each folder, and whether it is a folder."""
        folders: dict[str, dict[str, bool]] = {"": {}}
        for path in self._directory.places:
            folder, _, name = path.rpartition("/")
            is_folder = False
            while folder not in folders:
                if len(folders) == MOST_FOLDERS:
                    raise Unreadable(f"it has more than {MOST_FOLDERS} folders")
                folders[folder] = {name: is_folder}
                folder, _, name = folder.rpartition("/")
                is_folder = True
            folders[folder].setdefault(name, is_folder)
        return folders

    def _stat(self, member: Member) -> Stat:
        version = f"{self._blob.stat.version}-{member.start:x}"
        return Stat(is_folder=False, size=member.size, version=version)

    def _unpacked(self, member: Member, path: str) -> bytes:
        _check(member, path)
        if member.stop - member.start - member.packed <= NEAR:
            data = self._blob.read(member.start, member.stop)
            start = _after_header(data, path)
            packed = data[start : start + member.packed]
        else:
            start = self._start(member, path)
            packed = self._blob.read(start, start + member.packed)
        if len(packed) != member.packed:
            raise Unreadable(f"{path}: the zip file ends before it does")
        data = packed if member.method == STORED else _inflated(packed, member.size, path)
        if _checksum(data) != member.checksum:
            raise Unreadable(f"{path}: its checksum in the zip file is wrong")
        return data

    def _start(self, member: Member, path: str) -> int:
        """Where a member's bytes begin, behind its header."""
        _check(member, path)
        start = member.start + _after_header(self._blob.read(member.start, member.start + LOCAL_SIZE), path)
        if start + member.packed > member.stop:
            raise Unreadable(f"{path}: it lies in the next member of the zip file")
        return start


class _Part:
    """A stored member."""

    __slots__ = ("_blob", "_start", "stat")

    def __init__(self, blob: Blob, start: int, stat: Stat) -> None:
        self._blob = blob
        self._start = start
        self.stat = stat

    def read(self, start: int, stop: int) -> bytes:
        stop = min(stop, self.stat.size)
        return self._blob.read(self._start + start, self._start + stop) if start < stop else b""


class _Held:
    """A member whose bytes are here."""

    __slots__ = ("_data", "stat")

    def __init__(self, data: bytes, stat: Stat) -> None:
        self._data = data
        self.stat = stat

    def read(self, start: int, stop: int) -> bytes:
        return self._data[start : max(start, stop)]


def _checked(path: str) -> str:
    if path and ("\0" in path or any(part in {"", ".", ".."} for part in path.split("/"))):
        raise BadRequest(f"{path!r} is no path within a zip file")
    return path


def _check(member: Member, path: str) -> None:
    """Raise Unreadable where a member cannot be unpacked, or unpacks to what cannot be."""
    if member.flags & ENCRYPTED:
        raise Unreadable(f"{path}: it is encrypted")
    if member.method not in (STORED, DEFLATED):
        raise Unreadable(f"{path}: it is packed in the way {member.method} of zip files, which is not read")
    if member.method == STORED and member.size != member.packed:
        raise Unreadable(f"{path}: {member.size} bytes are stored as {member.packed}")
    if member.method == DEFLATED and member.size > min(LARGEST_INFLATED, (member.packed + 1) * HIGHEST_RATIO):
        raise Unreadable(f"{path}: {member.packed} bytes would be inflated to {member.size}")


def _after_header(data: bytes, path: str) -> int:
    """How long the header of a member is, with its name and what comes after that."""
    if len(data) < LOCAL_SIZE or data[:4] != b"PK\3\4":
        raise Unreadable(f"{path}: there is no member where the directory of the zip file has it")
    named, more = struct.unpack_from("<2H", data, 26)
    return LOCAL_SIZE + int(named) + int(more)


def _inflated(packed: bytes, size: int, path: str) -> bytes:
    stream = zlib.decompressobj(-15)
    try:
        data = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise Unreadable(f"{path}: it cannot be inflated: {error}") from error
    if len(data) != size or not stream.eof:
        raise Unreadable(f"{path}: it is inflated to more or less than the {size} bytes that it should have")
    return data


def _checksum(data: bytes) -> int:
    import imagecodecs

    return int(imagecodecs.deflate_crc32(data))
