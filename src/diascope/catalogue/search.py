"""Search by name over all that lies in the repositories."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.repository import Place, Repository
from diascope.errors import BadRequest, DiascopeError

PATIENCE = 2.0
"""For how many seconds folders are walked before what was found is told."""

DEEPEST = 32


def search(catalogue: Catalogue, text: str, repository: str | None, limit: int) -> dict[str, Any]:
    """Folders and images whose name has the text, in any case; ``complete`` says whether everything was looked at."""
    if not text.strip():
        raise BadRequest("q is empty: give a part of a name")
    wanted = text.strip().casefold()
    repositories = [catalogue.repository(repository)] if repository else list(catalogue.repositories.values())
    end = monotonic() + PATIENCE
    results: list[dict[str, str]] = []
    for each in repositories:
        for place in _walked(each, "", DEEPEST):
            name = place.path.rpartition("/")[2]
            if place.what != "file" and wanted in name.casefold():
                results.append({"name": name, "path": f"{each.name}/{place.path}", "what": place.what})
            if len(results) >= limit or monotonic() > end:
                return {"results": results, "complete": False}
    return {"results": results, "complete": True}


def _walked(repository: Repository, path: str, depth: int) -> Iterator[Place]:
    """Everything below a folder, each folder before what lies in it; folders that cannot be read are passed over."""
    try:
        places = list(repository.listed(path))
    except (DiascopeError, OSError):
        return
    yield from places
    for place in places:
        if place.what == "folder" and depth:
            yield from _walked(repository, place.path, depth - 1)
