"""What the tags of an image say of how it was acquired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from diascope.image.metadata import Channel, Metadata
from diascope.sources.gatan.calibration import Calibrated, at, number, rescale, text
from diascope.sources.gatan.tags import Array, Document, Tree

EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
TICKS = 10_000_000
"""Of a second, in which Windows counts time since then."""

MOST = 2000
"""How many tags of an image are told."""
LONGEST = 2000


def metadata(found: Document, image: Tree, axes: tuple[Calibrated, ...]) -> Metadata:
    tags = at(image, "ImageTags") or {}
    microscope = at(tags, "Microscope Info")
    stage = at(microscope, "Stage Position")
    places = {axis: at(stage, f"Stage {axis.upper()}") for axis in "xyz"}
    magnification = number(at(microscope, "Indicated Magnification"), 0.0)
    return Metadata(
        format=f"Gatan DM{found.version}",
        description=text(at(image, "Name")),
        acquired=_acquired(tags),
        magnification=magnification if magnification > 0 else None,
        instrument=text(at(microscope, "Name")) or text(at(microscope, "Microscope")),
        position={axis: float(place) for axis, place in places.items() if isinstance(place, int | float)},
        rescale=rescale(image["ImageData"]),
        extra={
            "axes": [axis.told for axis in axes],
            "units": text(at(image, "ImageData", "Calibrations", "Brightness", "Units")),
            "tags": _told(tags, [MOST]),
        },
    )


def _acquired(tags: Tree) -> str | None:
    """The time that the computer's clock told; the dates in words are as its language writes them."""
    ticks = number(at(tags, "DataBar", "Acquisition Time (OS)"), 0.0)
    if ticks <= 0:
        return None
    try:
        return (EPOCH + timedelta(seconds=round(ticks / TICKS))).isoformat()
    except OverflowError:
        return None


def channel(found: Document, place: int) -> Channel:
    """How Gatan's program showed the image at this place of the list: between which values."""
    sources = at(found.tags, "ImageSourceList") or {}
    for shown in (at(found.tags, "DocumentObjectList") or {}).values():
        source = at(sources, str(at(shown, "ImageSource")))
        info = at(shown, "ImageDisplayInfo")
        if at(source, "ImageRef") == place and info:
            low, high = number(at(info, "LowLimit"), 0.0), number(at(info, "HighLimit"), 0.0)
            return Channel(window=(low, high) if low < high else None)
    return Channel()


def _told(value: Any, left: list[int]) -> Any:
    """Tags as JSON, as many as are left; arrays are told by their length."""
    left[0] -= 1
    if isinstance(value, dict):
        return {name: _told(each, left) for name, each in value.items() if left[0] > 0}
    if isinstance(value, Array):
        return f"{value.count} values"
    if isinstance(value, tuple):
        return [_told(each, left) for each in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value[:LONGEST].strip("\0") if isinstance(value, str) else value
