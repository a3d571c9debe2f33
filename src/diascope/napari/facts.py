"""What is told of an image that is chosen, as HTML that a label of Qt shows."""

from __future__ import annotations

from html import escape
from typing import Any

from diascope.errors import Unreadable
from diascope.image.units import named
from diascope.napari.place import Description

SHORT = {"nanometer": "nm", "micrometer": "µm", "millimeter": "mm", "meter": "m", "second": "s", "millisecond": "ms"}

MOST = 12
"""How many channels are named, and axes."""


def facts(told: Description) -> str:
    """Name, type, a row for each axis, and the channels; every text of the server is escaped."""
    try:
        return _scenes(told) if "axes" not in told else _image(told)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"what the server tells of the image is not understood: {error!r}") from error


def _image(told: Description) -> str:
    kinds = {"rgb": "colours", "labels": "labels"}
    words = [kinds.get(told["kind"]), told["dtype"], f"{len(told['levels'])} levels", told["format"]]
    head = f"<b>{_safe(told['name'])}</b><br>{' · '.join(_safe(word) for word in words if word)}"
    rows = "".join(f"<tr>{_row(axis)}</tr>" for axis in told["axes"][:MOST])
    names = [_safe(channel["name"]) for channel in told["channels"][:MOST] if channel["name"]]
    more = " …" if len(told["channels"]) > MOST else ""
    channels = f"<br>{', '.join(names)}{more}" if names else ""
    placed = "<br>with its place in the world" if told.get("world") else ""
    return f"{head}<table cellpadding='2'>{rows}</table>{channels}{placed}"


def _scenes(told: Description) -> str:
    count = sum(each["role"] == "image" for each in told["scenes"])
    return f"<b>{_safe(told['name'])}</b><br>{_safe(told['format'])}<br>{count} images"


def _row(axis: dict[str, Any]) -> str:
    size, spacing, unit = int(axis["size"]), float(axis["spacing"]), named(axis["unit"])
    cells = [_safe(axis["name"]), str(size)]
    if unit:
        cells.append(f"× {spacing:.4g} {SHORT.get(unit, unit)}")
    # Qt breaks lines at any other space.
    return "".join(f"<td>{cell.replace(' ', '&nbsp;')}</td>" for cell in cells)


def _safe(text: object) -> str:
    return escape(str(text)[:200])
