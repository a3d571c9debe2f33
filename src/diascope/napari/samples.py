"""Images to try napari out with, generated when they are first asked for."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from diascope.commands.sample import sample
from diascope.napari.layers import LayerData
from diascope.napari.reading import opened


def _opened(path: str) -> list[LayerData]:
    return opened(str(Path(_folder().name, path))).layers


cells = partial(_opened, "microscopy/cells.ome.tif")
dividing = partial(_opened, "microscopy/dividing.tif")
tissue = partial(_opened, "pathology/tissue.tif")
head = partial(_opened, "volumes/head.nii.gz")


@cache
def _folder() -> TemporaryDirectory[str]:
    """Where they lie until napari ends."""
    folder: TemporaryDirectory[str] = TemporaryDirectory(prefix="diascope-sample-", ignore_cleanup_errors=True)
    sample(Path(folder.name))
    return folder
