"""The doors through which judges reach what is served; a new one is a line in ``DOORS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from diascope.commands.get import written
from diascope.tree.file import Tree
from diascope.tree.walk import listed_files
from tests.conformance.records import Door
from tests.mounts import missing, mounted
from tests.servers import of_folder, of_tree

Where = Callable[[tuple[str, ...]], str]

LONGEST = 1500.0
"""Seconds for which a door is open at most."""


@contextmanager
def _served(folder: Path, broken: Tree | None, where: str) -> Iterator[Where]:
    """The whole server on a port of this machine; a broken tree behind the same code.

    ``where`` has the server's ``{url}`` and a ``{path}`` below the repositories.
    """
    server = of_tree(broken) if broken else of_folder(folder)
    try:
        yield lambda paths: where.format(url=server.url, path=quote(paths[0]))
    finally:
        server.stop()


@contextmanager
def _mount(folder: Path, broken: Tree | None) -> Iterator[Where]:
    """What ``diascope mount`` makes of the folder; a broken tree is written to disk as far as it is asked for."""
    with TemporaryDirectory(prefix="conformance-") as place:
        top = Path(place, "top", folder.name)
        top.parent.mkdir()
        if broken is None:
            with mounted(folder, top, longest=LONGEST):
                yield lambda paths: str(Path(top.parent, paths[0]))
            return
        with (
            _files(folder, broken) as written_at,
            mounted(written_at(()), top.parent, longest=LONGEST, program=("tests.mounted_folder",)),
        ):

            def where(paths: tuple[str, ...]) -> str:
                written_at(paths)
                return str(Path(top.parent, paths[0]))

            yield where


@contextmanager
def _files(folder: Path, broken: Tree | None) -> Iterator[Where]:
    """What ``diascope get`` writes to disk."""
    with TemporaryDirectory(prefix="conformance-") as top:

        def where(paths: tuple[str, ...]) -> str:
            for path in paths:
                target = Path(top, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                if broken and not target.exists():
                    _write(broken, path, Path(top))
                elif not target.exists():
                    with redirect_stderr(StringIO()):  # its progress bar
                        written(str(folder.parent / path), target, overwrite=False)
            return str(Path(top, *paths[:1]))

        yield where


def _write(tree: Tree, path: str, top: Path) -> None:
    below = [path] if tree.entries(path) is None else list(listed_files(tree, path))
    for each in below:
        file = tree.file(each)
        assert file is not None, f"{each} is listed and not there"
        (top / each).parent.mkdir(parents=True, exist_ok=True)
        (top / each).write_bytes(file.read(0, None))


HTTP = Door(name="HTTP", open=partial(_served, where="{url}/data/{path}"))
S3 = Door(name="S3", open=partial(_served, where="s3+{url}/s3/{path}"))
WEBDAV = Door(name="WebDAV", open=partial(_served, where="{url}/dav/{path}"))
MOUNT = Door(name="mount", open=_mount, missing=missing, optional=True)
FILES = Door(name="files", open=_files)
DOORS = {door.name: door for door in (HTTP, S3, WEBDAV, MOUNT, FILES)}
