"""zarr-python as a judge: over HTTP or S3 through obstore, or on disk."""

from __future__ import annotations

import zarr
from obstore.store import HTTPStore
from zarr.storage import ObjectStore

from tests.judges import s3


def group(where: str) -> zarr.Group:
    """The group at a URL or a path."""
    place = s3.place(where)
    if place is None and not where.startswith("http://"):
        return zarr.open_group(where, mode="r")
    store = place.store if place else HTTPStore.from_url(where, client_options={"allow_http": True})
    return zarr.open_group(ObjectStore(store, read_only=True), mode="r")
