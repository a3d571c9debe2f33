"""The virtual file, and the tree of them: all that an access point knows of the house."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, NamedTuple, Protocol

from diascope.haste import pause


@dataclass(slots=True, kw_only=True, eq=False)  # not frozen: to be made would take more than twice as long
class File:
    """A file whose bytes are made when they are read."""

    media_type: str
    size: int | None
    """None where only making the bytes can tell, as for a compressed chunk."""
    read: Callable[[int, int | None], bytes]
    """The bytes from start to stop, or to the end; fewer where the file ends sooner. Called from many threads."""
    etag: str | None = None
    """An opaque text that changes with the bytes, without quotes; known without making them."""
    cheap: bool = False
    """In memory or one positional read: not worth another thread."""
    located: Callable[[str], File] | None = None
    """The same file given the absolute URL it is asked for by, where what it says depends on that; for doors without
    URLs it is as it is, with relative references."""
    moved: str | None = None
    """Where its bytes are instead, as a path relative to the folder it lies in; a door that can redirect does."""


class Entry(NamedTuple):
    name: str
    is_folder: bool


class Tree(Protocol):
    """A read-only tree of virtual files, its paths without slashes at either end.

    ``entries`` may list fewer names than ``file`` answers to: a IIIF region is served, never listed.
    """

    def file(self, path: str) -> File | None:
        """The file at this path, or None where there is none.

        A folder's path with a slash behind it gives the file that answers for the folder where a door has a use for
        one, and is never listed: so a path is a file or a folder and never both, and yet a IIIF base URI redirects.
        """
        ...

    def entries(self, path: str) -> Iterator[Entry] | None:
        """What is in the folder at this path, or None where it is no folder."""
        ...


def whole(make: Callable[[], bytes], media_type: str, size: int | None = None, *, cheap: bool = False) -> File:
    """A file small enough to be made at once, and no sooner than it is read."""
    made: list[bytes] = []
    lock = Lock()

    def read(start: int, stop: int | None) -> bytes:
        if not cheap:
            pause()
        with lock:
            if not made:
                made.append(make())
        return made[0][start:stop] if (start, stop) != (0, None) else made[0]

    return File(media_type=media_type, size=size, read=read, cheap=cheap)


def sized(file: File) -> File:
    """The same file with its true size, made now where only its bytes tell that."""
    if file.size is not None:
        return file
    data = file.read(0, None)
    return replace(file, size=len(data), read=lambda start, stop: data[start:stop])


def in_memory(data: bytes, media_type: str) -> File:
    """A file whose bytes are there."""
    return File(media_type=media_type, size=len(data), read=lambda start, stop: data[start:stop], cheap=True)


def json_file(document: Any, media_type: str = "application/json") -> File:
    """A JSON document; the same document always gives the same bytes."""
    return in_memory(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode(), media_type)
