"""The doors through which judges reach what is served; a new one is a line in ``DOORS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from diascope.commands.get import written
from diascope.tree.file import Tree
from diascope.tree.walk import listed_files
from tests.conformance.records import Door
from tests.servers import of_folder, of_tree

Where = Callable[[tuple[str, ...]], str]


@contextmanager
def _http(folder: Path, broken: Tree | None) -> Iterator[Where]:
    """The whole server on a port of this machine; a broken tree behind the same HTTP code."""
    server = of_tree(broken) if broken else of_folder(folder)
    try:
        yield lambda paths: f"{server.url}/data/{quote(paths[0])}"
    finally:
        server.stop()


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
            return str(Path(top, paths[0]))

        yield where


def _write(tree: Tree, path: str, top: Path) -> None:
    below = [path] if tree.entries(path) is None else list(listed_files(tree, path))
    for each in below:
        file = tree.file(each)
        assert file is not None, f"{each} is listed and not there"
        (top / each).parent.mkdir(parents=True, exist_ok=True)
        (top / each).write_bytes(file.read(0, None))


HTTP = Door(name="HTTP", open=_http)
FILES = Door(name="files", open=_files)
DOORS = {door.name: door for door in (HTTP, FILES)}
