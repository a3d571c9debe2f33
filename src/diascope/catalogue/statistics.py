"""Statistics and histogram of an image's channels, from a coarse level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.located import viewed
from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.sample import planes, sampled_level

MOST = 1 << 21
"""How many pixels of a channel are looked at."""

PERCENTILES = (0.1, 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9)
BINS = 256


def statistics(catalogue: Catalogue, path: str, view: str) -> dict[str, Any]:
    """Of each channel of the image at a path under a view; ``level`` says which resolution was looked at."""
    image, _ = viewed(catalogue, path, view)
    if image.dtype.kind == "c":
        raise Unsupported("complex pixels have no order, and so no minimum, no percentiles and no histogram")
    number = sampled_level(image, MOST)
    channels = range(image.size("c"))
    return {
        "path": path,
        "view": view,
        "level": number,
        "channels": [{"name": _name(image, c)} | _of_pixels(_pixels(image, number, c)) for c in channels],
    }


def _name(image: Image, channel: int) -> str:
    if image.kind == "rgb":
        return ("red", "green", "blue", "opacity")[channel]
    return image.channels[channel].name if channel < len(image.channels) else ""


def _pixels(image: Image, level: int, channel: int) -> NDArray[np.float64]:
    """The sampled pixels of a channel that are numbers."""
    fixed = {"c": channel} if "c" in image.axis_names else {}
    found = [plane.ravel() for plane in planes(image.levels[level], image.axis_names, MOST, fixed)]
    pixels = np.concatenate(found).astype(np.float64)
    return pixels[np.isfinite(pixels)]


def _of_pixels(pixels: NDArray[np.float64]) -> dict[str, Any]:
    if not pixels.size:
        return {"count": 0}
    low, high = float(pixels.min()), float(pixels.max())
    counts, _ = np.histogram(pixels, bins=BINS, range=(low, high if high > low else low + 1))
    found = np.percentile(pixels, PERCENTILES)
    return {
        "count": int(pixels.size),
        "min": low,
        "max": high,
        "mean": float(pixels.mean()),
        "std": float(pixels.std()),
        "percentiles": {f"{p:g}": float(value) for p, value in zip(PERCENTILES, found, strict=True)},
        "histogram": {"counts": counts.tolist(), "edges": [low, high if high > low else low + 1]},
    }
