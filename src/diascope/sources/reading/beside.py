"""Files that a header names beside itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from diascope.errors import Unreadable
from diascope.stores.store import Store

LONGEST_NAME = 1000


def named_beside(path: str, name: str) -> str:
    """The path of a file that the one at ``path`` names; raises Unreadable where it may lie elsewhere."""
    parts = [part for part in name.strip().replace("\\", "/").split("/") if part != "."]
    wrong = name.startswith("/") or ".." in parts or "" in parts or not parts or ":" in parts[0]
    if wrong or len(name) > LONGEST_NAME or not name.isprintable():
        raise Unreadable(f"it names the file {name[:100]!r}, which does not lie in its folder")
    return "/".join([*path.split("/")[:-1], *parts])


def fingerprint(store: Store, paths: Iterable[str]) -> str:
    """What changes when one of the files does; one that is missing adds nothing but its name."""
    stats = ((path, store.stat(path)) for path in paths)
    return told({path: stat.version if stat else "" for path, stat in stats})


def told(versions: Mapping[str, str]) -> str:
    """The same of versions that are known by the paths of their files."""
    text = "\0".join(f"{path}\0{version}" for path, version in versions.items())
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
