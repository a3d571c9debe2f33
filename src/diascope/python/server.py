"""The OME-Zarr of an image on a Diascope server, or any Zarr hierarchy on a plain one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote, urlsplit

from diascope.errors import BadRequest, NotFound, Unsupported
from diascope.operations.view import ORIGINAL
from diascope.stores.http import HttpStore
from diascope.stores.web import shown

ENDING, OTHER_ENDINGS = ".ome.zarr", (".zarr2.ome.zarr", ".zarr06.ome.zarr")
MARKERS = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
STORED = "stored"

DEEPEST = 4
"""How many folders a scene may lie deep: row, column and field of a plate."""

MOST_NAMES = 1000
"""How many names of a folder are looked at."""


@dataclass(frozen=True, slots=True)
class Representation:
    """A folder of Zarr below a URL without a slash at its end."""

    url: str

    @property
    def located(self) -> tuple[HttpStore, str]:
        """The store that it lies in, and its name there."""
        base, _, name = self.url.rpartition("/")
        return HttpStore(f"{base}/"), unquote(name)


def representation(url: str) -> Representation:
    """What shows the image at a URL: of an image, of an image under a view, or of OME-Zarr itself.

    Of several images in a file it is the first one. Raises NotFound and BadRequest with what is wrong.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment or "@" in parts.netloc or not parts.netloc or not parts.path.strip("/"):
        raise BadRequest(f"{shown(url)!r} is no address of an image: it has a user, a query, a fragment, or no path")
    return _within(url.rstrip("/"), DEEPEST, in_file=False)


def _within(url: str, depth: int, *, in_file: bool) -> Representation:
    names = _names(url)
    if ORIGINAL in names:
        return _within(f"{url}/{ORIGINAL}", 0, in_file=False)
    for name in names:
        shown = HttpStore(f"{url}/").url(name)
        if name.endswith(ENDING) and not name.endswith(OTHER_ENDINGS) and MARKERS[0] in _names(shown):
            return Representation(shown)
    scenes = [name for name in names if name != STORED] if in_file or STORED in names else []
    if scenes and depth:
        return _within(HttpStore(f"{url}/").url(scenes[0]), depth - 1, in_file=True)
    if names == [STORED]:
        # Nothing but the file itself is shown where it cannot be read; asked for more, the server tells why.
        _names(f"{url}/{ORIGINAL}")
    if _is_zarr(url):
        return Representation(url)
    raise NotFound(f"there is no image at {url}; there is: {', '.join(names)[:500] or 'nothing'}")


def _names(url: str) -> list[str]:
    """What a Diascope server lists there, nothing where there is none or another server answers."""
    try:
        return [name for name, _ in islice(HttpStore(f"{url}/").entries(""), MOST_NAMES)]
    except (NotFound, Unsupported):
        return []


def _is_zarr(url: str) -> bool:
    try:
        return any(HttpStore(f"{url}/").stat(marker) for marker in MARKERS)
    except BadRequest:
        # A name that cannot stand there on a Diascope server.
        return False
