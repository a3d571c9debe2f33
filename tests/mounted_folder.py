"""``python -m tests.mounted_folder FOLDER MOUNTPOINT``: the files of a folder behind the mount's own code.

A process of its own: programs that hold Python's lock while they read could wait for one another in the same one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from diascope.access.fuse import mount
from diascope.tree.file import Entry, File


@dataclass(frozen=True)
class Folder:
    """The files below a folder, also those that are written later."""

    top: Path

    def file(self, path: str) -> File | None:
        full = self.top / path
        if not full.is_file():
            return None
        return File(media_type="application/octet-stream", size=full.stat().st_size, read=partial(_bytes, full))

    def entries(self, path: str) -> Iterator[Entry] | None:
        full = self.top / path
        return (Entry(each.name, each.is_dir()) for each in os.scandir(full)) if full.is_dir() else None


def _bytes(path: Path, start: int, stop: int | None) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(-1 if stop is None else stop - start)


def _ready() -> None:
    sys.stdout.write("it has mounted\n")


if __name__ == "__main__":
    mount(Folder(Path(sys.argv[1])), Path(sys.argv[2]), 4, _ready)
