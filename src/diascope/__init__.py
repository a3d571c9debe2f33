"""Diascope delivers images where they lie, transformed on the way, in the format each tool wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from diascope.image.image import Image
    from diascope.sources.dataset import Dataset

__version__ = "0.1.0"
__all__ = ["open", "open_dataset"]


def open(path: str | PathLike[str]) -> Image:
    """The first image of a file, read lazily.

    Axes are in the order t c z y x. Raises NotFound where there is no such file and Unreadable where it is no image
    that Diascope understands.
    """
    return next(iter(open_dataset(path).images.values()))


def open_dataset(path: str | PathLike[str]) -> Dataset:
    """All the images of a file by name, with its labels and associated pictures; errors as ``open`` has them."""
    from diascope.catalogue.opening import opened_file

    return opened_file(path)
