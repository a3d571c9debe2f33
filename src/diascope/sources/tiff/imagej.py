"""What ImageJ writes of its hyperstacks (ij.io.TiffEncoder; https://imagej.net/ij/developer/source/)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from diascope.image.metadata import Channel, Metadata
from diascope.image.units import named
from diascope.sources.tiff.parsed import Parsed
from diascope.sources.tiff.resolution import inverse_resolution
from diascope.sources.tiff.scene import Facts

PLAIN = (str, int, float, bool)


def facts(file: Parsed, series: Any) -> Facts:
    """Of the one hyperstack of a file."""
    written = file.tiff.imagej_metadata or {}
    return Facts(
        spacing=_spacing(written, series.keyframe),
        channels=_channels(written),
        metadata=Metadata(
            format="ImageJ TIFF",
            description=str(written.get("Info", "")),
            extra={key: value for key, value in written.items() if isinstance(value, PLAIN) and key != "Info"},
        ),
    )


def _spacing(written: dict[str, Any], keyframe: Any) -> dict[str, tuple[float, str]]:
    unit = _unit(written.get("unit"))
    spacing: dict[str, tuple[float, str]] = {}
    if unit:
        spacing = {
            axis: (size, _unit(written.get(f"{axis}unit")) or unit)
            for axis, size in inverse_resolution(keyframe).items()
        }
        # A negative spacing means that the stack runs downwards, which only its sign tells.
        if isinstance(step := written.get("spacing"), int | float) and step:
            spacing["z"] = (abs(float(step)), _unit(written.get("zunit")) or unit)
    interval = written.get("finterval")
    if isinstance(interval, int | float) and interval > 0:
        spacing["t"] = (float(interval), _unit(written.get("tunit")) or "second")
    return spacing


def _unit(text: Any) -> str | None:
    """A unit as ImageJ spells it, other letters than ASCII being escaped as in Java."""
    return named(text.replace("\\u00B5", "µ").replace("sec", "s")) if isinstance(text, str) else None


def _channels(written: dict[str, Any]) -> tuple[Channel, ...]:
    count = written.get("channels", 1)
    if not isinstance(count, int) or not 0 < count <= 1 << 16:
        return ()
    windows, colours = _windows(written), _colours(written)
    return tuple(
        Channel(
            window=windows[k] if k < len(windows) else None,
            colour=colours[k] if k < len(colours) else None,
        )
        for k in range(count)
    )


def _windows(written: dict[str, Any]) -> list[tuple[float, float] | None]:
    ranges = written.get("Ranges")
    if not isinstance(ranges, tuple):
        ranges = (written.get("min"), written.get("max"))
    pairs = list(pairwise(ranges))[::2]
    numbers = (int, float)
    return [
        (float(low), float(high)) if isinstance(low, numbers) and isinstance(high, numbers) and low < high else None
        for low, high in pairs
    ]


def _colours(written: dict[str, Any]) -> list[str | None]:
    """The brightest colour of each channel's look-up table."""
    tables = written.get("LUTs") if written.get("mode", "") in {"composite", "color"} else None
    return [bytes(map(int, table[:, -1])).hex() for table in tables or [] if getattr(table, "shape", ()) == (3, 256)]
