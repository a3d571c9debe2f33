"""An image as a store of zarr-python."""

from __future__ import annotations

from typing import Any

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.layouts.layout import Layout
from diascope.optional import library
from diascope.registry import registry


def zarr_store(image: Image) -> Any:
    """Its OME-Zarr 0.5 as a read-only store, the group of the image being its root; raises Unsupported."""
    library("zarr", "python")
    from diascope.access.zarr_store import TreeStore

    layout: Layout = registry("layouts")["ome-zarr"]
    if reason := layout.refuses(image):
        raise Unsupported(reason)
    return TreeStore(layout.tree(image), image.name + layout.suffix, (zarr_store, (image,)))
