"""The layers of an image that was chosen in the browser, made ready in a thread of its own."""

from __future__ import annotations

import numpy as np

from diascope.napari.layers import LayerData
from diascope.napari.place import Place, image_path
from diascope.napari.reading import Opened, opened
from diascope.operations.view import ORIGINAL


def choice(place: Place, path: str, view: str) -> Opened:
    """The layers of an image under a view, that of a file's first image where it has several."""
    if view != ORIGINAL:
        path = image_path(place, path)
        view = place.checked(path, view)
    found = opened(place.address(path, view))
    for layer in found.layers:
        _prepare(layer)
    return found


def _prepare(layer: LayerData) -> None:
    """Have the plane in the cache that napari asks for first, in the thread that draws the window."""
    data, arguments, _ = layer
    if not arguments["visible"]:
        return
    coarsest = data[-1] if arguments["multiscale"] else data
    planes = coarsest.ndim - 2 - bool(arguments.get("rgb"))
    np.asarray(coarsest[tuple((size - 1) // 2 for size in coarsest.shape[:planes])])
