"""The shared cache of the settings."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlsplit

from diascope.settings import Settings
from diascope.tree.folder_shelf import FolderShelf
from diascope.tree.redis_shelf import SCHEMES, RedisShelf
from diascope.tree.shelf import Place, Shelf

ROOMS = ("sources", "operations", "layouts")


def shelf(settings: Settings) -> Shelf | None:
    """The shared cache, None where none is set; raises Unavailable where a library is missing that it needs.

    Entries are shared by those who have the same repositories at the same places under the same names, and the same
    versions of Diascope and of all that plugs into it: what is made otherwise is never taken for what they make.
    """
    if settings.shared_cache is None:
        return None
    address = settings.shared_cache.get_secret_value()
    place: Place = (
        RedisShelf(address)
        if urlsplit(address).scheme in SCHEMES
        else FolderShelf(Settings.beside(Path(address)), settings.shared_cache_bytes)
    )
    places = (f"{name}={each.url or each.path}" for name, each in sorted(settings.repositories.items()))
    return Shelf(place, "\0".join([*_versions(), "", *places]))


def _versions() -> list[str]:
    """Of every package that makes bytes, or pixels that they are made of."""
    plugged = (each.dist for room in ROOMS for each in entry_points(group=f"diascope.{room}"))
    return sorted({f"{dist.name} {dist.version}" for dist in plugged if dist})
