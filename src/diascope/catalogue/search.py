"""Search by name over all that lies in the repositories: in their indices, or by walking where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.index import FOLDER, Index
from diascope.catalogue.repository import Place, Repository
from diascope.errors import BadRequest, DiascopeError

PATIENCE = 2.0
"""For how many seconds folders are walked before what was found is told."""

DEEPEST = 32


def search(catalogue: Catalogue, text: str, repository: str | None, limit: int) -> dict[str, Any]:
    """Folders and images whose name has the text, in any case; ``complete`` says whether everything was looked at.

    ``indexed`` is what share of the folders of all these repositories an index knows, None where none has one.
    """
    wanted = text.strip().casefold()
    if not wanted:
        raise BadRequest("q is empty: give a part of a name")
    repositories = [catalogue.repository(repository)] if repository else list(catalogue.repositories.values())
    end = monotonic() + PATIENCE
    results: list[dict[str, str]] = []
    shares = [each.index.progress().share for each in repositories if each.index]
    for each in repositories:
        for place in _found(each, wanted, limit + 1):
            if monotonic() > end or len(results) == limit:
                return _document(results, shares, complete=False)
            if place:
                name = place.path.rpartition("/")[2]
                results.append({"name": name, "path": f"{each.name}/{place.path}", "what": place.what})
    return _document(results, shares, complete=all(share == 1 for share in shares))


def _document(results: list[dict[str, str]], shares: list[float], *, complete: bool) -> dict[str, Any]:
    return {"results": results, "complete": complete, "indexed": min(shares, default=None)}


def _found(repository: Repository, wanted: str, limit: int) -> Iterator[Place | None]:
    """The places that are found; None stands for one that is passed over, so that time can be seen to pass."""
    if repository.index:
        yield from _in_index(repository, repository.index, wanted, limit)
        return
    for place in _walked(repository, "", DEEPEST):
        yield place if place.what != "file" and wanted in place.path.rpartition("/")[2].casefold() else None


def _in_index(repository: Repository, index: Index, wanted: str, limit: int) -> Iterator[Place | None]:
    for path, what in index.search(wanted, limit):
        try:
            is_there = repository.place(path) is not None
        except (DiascopeError, OSError):
            is_there = False
        yield Place("folder" if what == FOLDER else "image", path) if is_there else None


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
