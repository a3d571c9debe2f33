"""What lies in a folder, a page at a time."""

from __future__ import annotations

from itertools import islice
from typing import Any

from diascope.catalogue.address import found
from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.repository import Place
from diascope.errors import NotFound


def listing(catalogue: Catalogue, path: str, limit: int, after: str) -> dict[str, Any]:
    """Folders, images and other files of a folder that come after one, in the order of keys; no image is opened.

    ``next`` is after what the next page begins.
    """
    place = found(catalogue, path)
    if place is None or place.place.what != "folder":
        raise NotFound(f"there is no folder at {path!r}")
    repository, folder = place.repository, place.place.path
    behind = (each for each in repository.listed_from(folder, after) if _name(each) != after.removesuffix("/"))
    page = list(islice(behind, limit + 1))
    return {
        "path": path,
        "entries": [
            {"name": _name(each), "path": f"{repository.name}/{each.path}", "what": each.what} for each in page[:limit]
        ],
        "next": _key(page[limit - 1]) if len(page) > limit else None,
    }


def _name(place: Place) -> str:
    return place.path.rpartition("/")[2]


def _key(place: Place) -> str:
    return _name(place) + "/" * (place.what != "file")
