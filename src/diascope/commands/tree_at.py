"""The tree that an address on the command line leads into: on this machine, in a bucket, or on a Diascope server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from diascope.access.remote import Remote
from diascope.catalogue.distant import base, is_cloud
from diascope.errors import BadRequest, NotFound
from diascope.settings import RepositorySettings, Settings
from diascope.stores.web import shown
from diascope.tree.file import Tree


def tree_at(address: str) -> tuple[Tree, str]:
    """The root tree that an address belongs to, and the path in it; raises NotFound where nothing is there."""
    if address.startswith(("http://", "https://")):
        return _remote(address)
    from diascope.arrangements.by_name import ByName
    from diascope.catalogue.catalogue import catalogue

    if is_cloud(address):
        entry, path = base(address)
        name = urlsplit(entry.url or "").netloc
        return ByName(catalogue(Settings(repositories={name: entry}))), f"{name}/{path}".rstrip("/")
    full = Path(address).absolute()
    anchor = next((parent for parent in (full, *full.parents) if parent.exists()), None)
    if anchor is None or anchor == Path(anchor.anchor):
        raise NotFound(f"there is nothing at {address!r}")
    settings = Settings(
        repositories={anchor.parent.name or "root": RepositorySettings(path=anchor.parent, follow_links=True)}
    )
    return ByName(catalogue(settings)), f"{anchor.parent.name or 'root'}/{full.relative_to(anchor.parent)}"


def _remote(address: str) -> tuple[Tree, str]:
    base, data, path = urlsplit(address)._replace(query="", fragment="").geturl().partition("/data/")
    if not data and urlsplit(address).path not in {"", "/", "/data"}:
        raise BadRequest(f"{shown(address)!r} is no address below /data/ of a server")
    return Remote(f"{base.removesuffix('/').removesuffix('/data')}/data/"), unquote(path).strip("/")
