"""What lies in a folder, a page at a time."""

from __future__ import annotations

from heapq import nsmallest
from typing import Any

from diascope.catalogue.address import found
from diascope.catalogue.catalogue import Catalogue
from diascope.errors import NotFound


def listing(catalogue: Catalogue, path: str, limit: int, after: str) -> dict[str, Any]:
    """Folders, images and other files of a folder whose names come after one, by name; no image is opened."""
    place = found(catalogue, path)
    if place is None or place.place.what != "folder":
        raise NotFound(f"there is no folder at {path!r}")
    repository, folder = place.repository, place.place.path
    names = (entry for entry in repository.store.names(folder) if entry[0] > after)
    page = nsmallest(limit + 1, names)
    places = [repository.seen(folder, name, is_folder) for name, is_folder in page[:limit]]
    return {
        "path": path,
        "entries": [
            {"name": each.path.rpartition("/")[2], "path": f"{repository.name}/{each.path}", "what": each.what}
            for each in places
            if each
        ],
        "next": page[limit - 1][0] if len(page) > limit else None,
    }
