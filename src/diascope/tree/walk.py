"""Walking a tree: every file that is listed below a folder."""

from __future__ import annotations

from collections.abc import Iterator

from diascope.tree.file import Tree


def listed_files(tree: Tree, folder: str) -> Iterator[str]:
    """The paths of the files, one after another, as the folders list them."""
    for entry in tree.entries(folder) or ():
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_folder:
            yield from listed_files(tree, path)
        else:
            yield path
