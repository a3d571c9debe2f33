"""Filters of a 16-bit tile: ours, and the plain call of the libraries that have the same, in the same run.

The tile lies inside a larger image, and ours reads what lies around it. Only filters that OpenCV, scipy or scikit-image
have too are compared; how nearly they agree is what the tests of the operations tell.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy import ndimage
from skimage import exposure, filters
from skimage.morphology import disk

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.image.region import Region
from diascope.operations.view import view

Pixels = NDArray[Any]

BORDER = 64
"""So many pixels lie about the tile on each side."""


def _opencv_gradient(pixels: Pixels) -> Pixels:
    found = [cv2.Sobel(pixels, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1))]
    return np.asarray(cv2.magnitude(*found))


def _opencv_dog(pixels: Pixels) -> Pixels:
    values = pixels.astype(np.float32)
    return np.asarray(cv2.GaussianBlur(values, (9, 9), 1) - cv2.GaussianBlur(values, (17, 17), 2))


def _opencv_unsharp(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.addWeighted(pixels, 2, cv2.GaussianBlur(pixels, (17, 17), 2), -1, 0))


FILTERS: dict[str, dict[str, Callable[[Pixels], Any]]] = {
    "gaussian,sigma=2": {
        "OpenCV": lambda pixels: cv2.GaussianBlur(pixels, (17, 17), 2),
        "scipy": lambda pixels: ndimage.gaussian_filter(pixels, 2),
    },
    "unsharp,sigma=2": {
        "OpenCV": _opencv_unsharp,
        "scikit-image": lambda pixels: filters.unsharp_mask(pixels, 2, 1, preserve_range=True),
    },
    "dog,narrow=1,wide=2": {
        "OpenCV": _opencv_dog,
        "scikit-image": lambda pixels: filters.difference_of_gaussians(pixels, 1, 2),
    },
    "gradient": {"OpenCV": _opencv_gradient, "scikit-image": filters.sobel},
    "gradient,sigma=2": {"scipy": lambda pixels: ndimage.gaussian_gradient_magnitude(pixels.astype(np.float32), 2)},
    **{
        f"median,radius={radius}": {
            "scipy": partial(ndimage.median_filter, footprint=disk(radius)),
            "scikit-image": partial(filters.rank.median, footprint=disk(radius)),
        }
        for radius in (1, 3)
    },
    **{
        f"morphology,radius={radius},method=open": {
            "OpenCV": partial(cv2.morphologyEx, op=cv2.MORPH_OPEN, kernel=disk(radius)),
            "scipy": partial(ndimage.grey_opening, footprint=disk(radius)),
        }
        for radius in (1, 5)
    },
    "tophat,radius=15": {"OpenCV": partial(cv2.morphologyEx, op=cv2.MORPH_TOPHAT, kernel=disk(15))},
    "clahe,low=0,high=4095,tile=64": {
        "OpenCV": lambda pixels: cv2.createCLAHE(3, (pixels.shape[1] // 64, pixels.shape[0] // 64)).apply(pixels),
        "scikit-image": lambda pixels: exposure.equalize_adapthist(pixels, 64, 3 / 256),
    },
}
"""The calls of other libraries by filter."""


def measured(text: str, side: int, seconds: float) -> dict[str, float]:
    """Microseconds a tile of each way, the best of several."""
    whole = ndimage.gaussian_filter(np.random.default_rng(0).normal(2000, 9000, (side + 2 * BORDER,) * 2), 3)
    pixels = (whole + np.random.default_rng(1).normal(0, 50, whole.shape)).clip(0, 4095).astype(np.uint16)
    image = Image(name="tile", kind="intensity", axes=axes_named("yx"), levels=(in_memory(pixels),))
    level, box = view(text).applied(image).levels[0], Region((BORDER,) * 2, (BORDER + side,) * 2)
    tile = np.ascontiguousarray(pixels[box.slices])
    ways = {"diascope": partial(level.read, box), **{name: partial(call, tile) for name, call in FILTERS[text].items()}}
    return {way: _best(run, seconds) for way, run in ways.items()}


def _best(run: Callable[[], object], seconds: float) -> float:
    run()
    best, stop = float("inf"), perf_counter() + seconds
    while best == float("inf") or perf_counter() < stop:
        start = perf_counter()
        run()
        best = min(best, perf_counter() - start)
    return best * 1e6


def main() -> None:
    """Print the figures, and write them into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=512, help="rows and columns of a tile")
    parser.add_argument("--quick", action="store_true", help="measure hardly at all, on small tiles")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "generated")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    side = 128 if given.quick else given.side
    found = {text: measured(text, side, 0.0 if given.quick else 0.5) for text in FILTERS}
    table = Table(title=f"Microseconds for a uint16 tile of {side} × {side}, on one core")
    ways = ("diascope", "OpenCV", "scipy", "scikit-image")
    for column in ("", *ways):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for text, times in found.items():
        table.add_row(text, *(f"{times[way]:.0f}" if way in times else "" for way in ways))
    Console().print(table)
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "filters.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
