"""How the channels of an image are shown, in the words of OMERO (https://ngff.openmicroscopy.org/0.5/#omero-md)."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from diascope.image.metadata import Channel
from diascope.sources.reading.documents import Document, part

MOST_CHANNELS = 1 << 14
PRIMARY = ("ff0000", "00ff00", "0000ff")


def channels(ome: Document, size: int) -> tuple[Channel, ...]:
    """One for each of the channels, or none where nothing is told of them."""
    told = _told(part(ome, "omero"))
    if not told or size > MOST_CHANNELS:
        return ()
    return tuple(_channel(told[k]) if k < len(told) else Channel() for k in range(size))


def is_rgb(omero: Document, dtype: np.dtype[Any], size: int) -> bool:
    """Whether three or four channels of bytes are declared to be shown as red, green and blue."""
    told = _told(omero)
    colours = tuple(_colour(channel.get("color")) for channel in told[:3])
    in_colour = part(omero, "rdefs").get("model") == "color"
    return in_colour and dtype == np.uint8 and size in (3, 4) and len(told) == size and colours == PRIMARY


def _told(omero: Document) -> list[Document]:
    value = omero.get("channels")
    return [channel if isinstance(channel, dict) else {} for channel in value] if isinstance(value, list) else []


def _channel(told: Document) -> Channel:
    label = told.get("label")
    return Channel(
        name=str(label) if isinstance(label, str | int | float) else "",
        colour=_colour(told.get("color")),
        window=_window(part(told, "window")),
    )


def _colour(value: Any) -> str | None:
    match = re.fullmatch(r"#?([0-9a-fA-F]{6})", value) if isinstance(value, str) else None
    return match[1].lower() if match else None


def _window(window: Document) -> tuple[float, float] | None:
    ends = [window.get("start"), window.get("end")]
    if any(type(end) not in (int, float) for end in ends):
        return None
    try:
        start, end = (float(end or 0) for end in ends)
    except OverflowError:
        return None
    return (start, end) if math.isfinite(end - start) and start < end else None
