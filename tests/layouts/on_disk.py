"""Trees as folders on disk, whole or with one file changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from diascope.testing.trees import files
from diascope.tree.file import Tree


def written(tree: Tree, folder: Path) -> Path:
    """The only folder that the tree makes, on disk."""
    for path in files(tree):
        file = tree.file(path)
        assert file is not None
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read(0, None))
    (top,) = folder.iterdir()
    return top


def changed(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Rewrite a file with other bytes."""
    data = path.read_bytes()
    other = change(data)
    assert other != data
    path.write_bytes(other)
