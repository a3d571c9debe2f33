"""``diascope mount``: the tree as a folder of this machine."""

from __future__ import annotations

from pathlib import Path

import click

from diascope.access.fuse import mount
from diascope.commands.allocator import reuse_freed_memory
from diascope.commands.tree_at import tree_at
from diascope.errors import BadRequest, NotFound
from diascope.settings import Settings
from diascope.tree.branch import Below
from diascope.tree.file import Tree


def run(address: str | None, mountpoint: Path, *, others: bool) -> None:
    """Mount until interrupted; a line is printed once the folder is there."""
    reuse_freed_memory()
    tree = _tree(address)
    shown = address or "the repositories of diascope.toml"

    def ready() -> None:
        click.echo(f"Diascope has mounted {shown} on {mountpoint}")
        click.echo("Press Ctrl+C to unmount.")

    mount(tree, mountpoint.absolute(), Settings().threads, ready, others=others)


def _tree(address: str | None) -> Tree:
    """What lies at an address, or all repositories of the settings; raises NotFound where it is no folder."""
    if address is None:
        from diascope.arrangements.by_name import ByName
        from diascope.catalogue.catalogue import catalogue

        settings = Settings()
        if not settings.repositories:
            raise BadRequest("there is nothing to mount: give a folder or a URL, or repositories in diascope.toml")
        return ByName(catalogue(settings))
    tree, path = tree_at(address)
    if tree.entries(path) is None:
        raise NotFound(f"there is no folder at {address!r}")
    return Below(tree, path) if path else tree
