"""``diascope mount``: the tree as a folder of this machine."""

from __future__ import annotations

from pathlib import Path

import click

from diascope.access.fuse import mount
from diascope.commands.allocator import reuse_freed_memory
from diascope.commands.arranged import arranged
from diascope.commands.tree_at import tree_at
from diascope.errors import BadRequest, NotFound
from diascope.settings import Settings
from diascope.tree.branch import Below
from diascope.tree.file import Tree


def run(address: str | None, mountpoint: Path, mapping: Path | None = None, *, others: bool) -> None:
    """Mount until interrupted; a line is printed once the folder is there."""
    reuse_freed_memory()
    tree = arranged(mapping, address) if mapping else _tree(address)
    shown = address or "the repositories of diascope.toml"
    if mapping:
        shown += f", arranged by {mapping},"

    def ready() -> None:
        click.echo(f"Diascope has mounted {shown} on {mountpoint}")
        click.echo("Press Ctrl+C to unmount.")

    mount(tree, mountpoint.absolute(), Settings().threads, ready, others=others)


def _tree(address: str | None) -> Tree:
    """What lies at an address, or all that the settings have; raises NotFound where it is no folder."""
    if address is None:
        from diascope.arrangements.root import root
        from diascope.catalogue.catalogue import catalogue

        settings = Settings()
        if not settings.repositories:
            raise BadRequest("there is nothing to mount: give a folder or a URL, or repositories in diascope.toml")
        return root(settings, catalogue(settings))
    tree, path = tree_at(address)
    if tree.entries(path) is None:
        raise NotFound(f"there is no folder at {address!r}")
    return Below(tree, path) if path else tree
