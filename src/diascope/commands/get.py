"""``diascope get``: a representation written to disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from diascope.commands.tree_at import tree_at
from diascope.errors import BadRequest, NotFound
from diascope.tree.file import File, Tree
from diascope.tree.walk import listed_files

BLOCK = 8 << 20


def written(address: str, target: Path, *, overwrite: bool) -> None:
    """Write a file or a folder of files, at its place only when it is whole.

    Raises BadRequest where something is there already, unless it may be overwritten.
    """
    tree, path = tree_at(address)
    file = tree.file(path)
    if file is None and tree.entries(path) is None:
        raise NotFound(f"there is nothing at {address!r}")
    if target.exists() and not overwrite:
        raise BadRequest(f"{str(target)!r} is there already; --overwrite replaces it")
    part = target.with_name(f".{target.name}.part")
    _remove(part)
    try:
        with _progress() as progress:
            if file is not None:
                _write(file, part, progress)
            else:
                _write_all(tree, path, part, progress)
        _remove(target)
        part.rename(target)
    finally:
        _remove(part)


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))


def _write(file: File, target: Path, progress: Progress) -> None:
    task = progress.add_task(target.name.removeprefix(".").removesuffix(".part"), total=file.size)
    with target.open("wb") as out:
        for block in _blocks(file):
            out.write(block)
            progress.advance(task, len(block))


def _blocks(file: File) -> Iterator[bytes]:
    if file.size is None:
        yield file.read(0, None)
        return
    for start in range(0, file.size, BLOCK):
        yield file.read(start, min(start + BLOCK, file.size))


def _write_all(tree: Tree, folder: str, target: Path, progress: Progress) -> None:
    """Every file that is listed below a folder; how many there are is known only at the end."""
    task = progress.add_task(folder.rpartition("/")[2], total=None)
    target.mkdir(parents=True)
    for path in listed_files(tree, folder):
        file = tree.file(path)
        if file is None:
            raise NotFound(f"{path!r} was listed and is not there")
        place = target / path[len(folder) + 1 :]
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as out:
            for block in _blocks(file):
                out.write(block)
                progress.advance(task, len(block))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
