"""What lies at the URL of an object store, or of a plain web server, which somebody names on this machine."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from diascope.catalogue.opening import opened_in
from diascope.errors import BadRequest, NotFound
from diascope.settings import RepositorySettings, Settings, checked_url
from diascope.sources.dataset import Dataset
from diascope.stores.configured import Shared, shared, store
from diascope.stores.store import Stat, Store

CLOUDS = ("s3://", "gs://", "az://", "abfs://")
WEB = ("http://", "https://")


class Base(NamedTuple):
    """The place that a URL belongs to: a repository of the settings, or a whole bucket or server."""

    entry: RepositorySettings
    path: str
    """Below it."""


class Located(NamedTuple):
    """A file or folder, and what of a URL is left behind it."""

    url: str
    """Of the place that it lies in, without a slash at its end."""
    store: Store
    path: str
    stat: Stat
    rest: str

    @property
    def address(self) -> str:
        return f"{self.url}/{self.path}"


def is_cloud(address: str) -> bool:
    """Whether an address is that of an object store."""
    return address.startswith(CLOUDS)


def base(url: str) -> Base:
    """What opens a URL: the settings of the repository that it lies in, else the environment.

    Raises BadRequest, which does not repeat the URL, where it holds more than a place.
    """
    try:
        parts = urlsplit(checked_url(url))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    for entry in Settings().repositories.values():
        if entry.url and f"{url}/".startswith(f"{entry.url.rstrip('/')}/"):
            return Base(entry, _path(url, entry.url))
    whole = f"{parts.scheme}://{parts.netloc}"
    return Base(RepositorySettings(url=whole), _path(url, whole))


def _path(url: str, above: str) -> str:
    path = url[len(above.rstrip("/")) :].strip("/")
    return unquote(path) if url.startswith(WEB) else path


def located(url: str) -> Located:
    """The longest part of a URL that is there; raises NotFound."""
    entry, path = base(url)
    place = store(entry, _shared())
    parts = path.split("/") if path else []
    for k in range(len(parts), 0, -1):
        stat = place.stat("/".join(parts[:k]))
        if stat is not None:
            return Located((entry.url or "").rstrip("/"), place, "/".join(parts[:k]), stat, "/".join(parts[k:]))
    raise NotFound(f"there is no image at {url!r}")


def opened_at(url: str) -> Dataset:
    """The dataset at a URL; raises NotFound and Unreadable."""
    found = located(url)
    if found.rest:
        raise NotFound(f"there is no file {url!r}")
    return opened_in(found.store, found.path, found.url, url)


@cache
def _shared() -> Shared:
    """What is remembered of all that this process opens by itself."""
    return shared(Settings())
