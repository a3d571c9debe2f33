"""The metadata of OME-Zarr: multiscales, omero and image-label, which 0.4 and 0.5 spell alike.

https://ngff.openmicroscopy.org/0.5/#metadata
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Channel
from diascope.layouts.ome_windows import Window, full_window, windows

COLOURS = ("ff0000", "00ff00", "0000ff", "ff00ff", "00ffff", "ffff00")
"""Of channels that have none, one after another."""
PRIMARIES = COLOURS[:3]


def multiscale(image: Image) -> dict[str, Any]:
    """The axes and the levels, named by their numbers, each with its scale and, where it is not zero, translation."""
    return {
        "name": image.name,
        "axes": [
            {"name": axis.name, "type": axis.type} | ({"unit": axis.unit} if axis.unit else {}) for axis in image.axes
        ],
        "datasets": [
            {"path": str(k), "coordinateTransformations": _transformations(level)}
            for k, level in enumerate(image.levels)
        ],
    }


def _transformations(level: Level) -> list[dict[str, Any]]:
    """Both of positions of pixels' centres, as in the model."""
    scale = [float(s) if isfinite(s) and s else 1.0 for s in level.scale]
    translation = [float(t) if isfinite(t) else 0.0 for t in level.translation]
    placed = [{"type": "translation", "translation": translation}] if any(translation) else []
    return [{"type": "scale", "scale": scale}, *placed]


def omero(image: Image) -> dict[str, Any] | None:
    """How channels are shown; None for labels, and where pixels that a window is taken from cannot be read."""
    if image.kind == "labels":
        return None
    try:
        shown = windows(image)
    except Unreadable:
        # The chunks will tell the reason to whoever asks for them.
        return None
    channels = image.channels or (Channel(),) * len(shown)
    told = {"channels": [_channel(image, k, *each) for k, each in enumerate(zip(channels, shown, strict=True))]}
    # What OMERO says of a picture: so its colours are known from three channels that were dyed red, green and blue.
    return told | {"rdefs": {"model": "color"}} if image.kind == "rgb" else told


def _channel(image: Image, number: int, channel: Channel, window: Window) -> dict[str, Any]:
    low, high = full_window(image.dtype) or window
    start, end = window
    return {
        "label": channel.name or f"channel {number}",
        "color": (channel.colour or _colour(image, number)).upper(),
        "active": True,
        "window": {"min": min(low, start), "max": max(high, end), "start": start, "end": end},
    }


def _colour(image: Image, number: int) -> str:
    if image.kind == "rgb":
        return PRIMARIES[number] if number < len(PRIMARIES) else "ffffff"
    return COLOURS[number % len(COLOURS)] if image.size("c") > 1 else "ffffff"


def world(image: Image) -> dict[str, Any] | None:
    """The affine map into the world, which OME-Zarr has no word for yet, None where there is none."""
    if image.world is None:
        return None
    return {"world": {"space": image.world.space, "matrix": [list(row) for row in image.world.matrix]}}
