"""Diascope delivers images where they lie, transformed on the way, in the format each tool wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from diascope.image.image import Image
    from diascope.python.mounting import Mount
    from diascope.sources.dataset import Dataset

__version__ = "0.1.0"
__all__ = ["mount", "open", "open_dataset"]


def open(path: str | PathLike[str]) -> Image:
    """The image at a path, read lazily: a file, and behind it the scene and the view, as in ``cells.ome.tif/render``.

    A URL is that of an image or a view on a Diascope server, or of a Zarr hierarchy on any server that answers ranges.
    Of several images it is the first. Axes are in the order t c z y x. Raises NotFound where there is nothing and
    Unreadable where it is no image that Diascope understands.
    """
    from diascope.python.opening import image

    return image(path)


def open_dataset(path: str | PathLike[str]) -> Dataset:
    """All the images of a file by name, with its labels and associated pictures; errors as ``open`` has them."""
    from diascope.python.opening import dataset

    return dataset(path)


def mount(address: str | PathLike[str], mountpoint: str | PathLike[str] | None = None) -> Mount:
    """What lies at a path or URL as a read-only folder, in a process of its own that ends with this one.

    It is unmounted by ``unmount``, at the end of a ``with``, which gives the folder, and with the last reference to it.
    The address is that of a folder, an image or a view, on this machine or on a Diascope server; without a mountpoint a
    new folder is made. Raises Unavailable where this machine cannot mount, NotFound where there is no folder at the
    address, and BadRequest where the mountpoint is not empty.
    """
    from diascope.python.mounting import Mount

    return Mount(address, mountpoint)
