"""Metadata of Micro-Manager: a summary of the acquisition, and some words on each frame.

https://micro-manager.org/Micro-Manager_Metadata
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diascope.image.metadata import Channel, Metadata
from diascope.sources.reading.dates import spelled
from diascope.sources.reading.documents import Document
from diascope.sources.reading.numbers import number
from diascope.sources.reading.planes import Place

Frames = Mapping[tuple[int, ...], Callable[[], Document]]

LONGEST = 1000
TIMES = ("StartTime", "ReceivedTime", "Time")


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one image."""

    summary: Document
    first: Document
    """Of the first frame."""
    later: Mapping[str, tuple[int, Document]]
    """Along t and z, the last frame beside the first one, and how many further it lies."""

    @classmethod
    def of(cls, summary: Document, frames: Frames) -> Told:
        """Frames tell by their places along t, c and z; of these, three are asked at the most."""
        at = min(frames)
        along = {"t": [p for p in frames if p[1:] == at[1:]], "z": [p for p in frames if p[:2] == at[:2]]}
        ends = {axis: max(places) for axis, places in along.items()}
        later = {
            axis: (end[k] - at[k], frames[end]())
            for k, (axis, end) in zip((0, 2), ends.items(), strict=True)
            if end != at
        }
        return cls(summary, frames[at](), later)

    def scale(self, sizes: Place) -> dict[str, float]:
        """The distances of pixels in micrometres and of moments in seconds, of what is known."""
        size = self._number("PixelSizeUm", "PixelSize_um")
        found = {"y": size, "x": size}
        if sizes[2] > 1:
            found["z"] = self._step("z", "ZPositionUm", "ZPosition_um_Intended", "ZPosition_um") or self._number(
                "z-step_um"
            )
        if sizes[0] > 1:
            elapsed = self._step("t", "ElapsedTime-ms") or self._number("Interval_ms")
            found["t"] = elapsed / 1000 if elapsed else None
        return {axis: abs(value) for axis, value in found.items() if value}

    def _number(self, *names: str) -> float | None:
        return _number({**self.summary, **self.first}, *names)

    def _step(self, axis: str, *names: str) -> float | None:
        """By how much a number of the frames grows from one to the next."""
        count, last = self.later.get(axis, (0, {}))
        begin, end = _number(self.first, *names), _number(last, *names)
        return abs(end - begin) / count if count and begin is not None and end is not None else None

    def channels(self, names: Sequence[str]) -> tuple[Channel, ...]:
        """By their names in the files; a mere number is looked up in the summary."""
        told, colours = self.summary.get("ChNames"), self.summary.get("ChColors")
        known = told if isinstance(told, list) else []
        shades = colours if isinstance(colours, list) else []

        def channel(k: int, name: str) -> Channel:
            at = known.index(name) if name in known else k
            own = str(known[at])[:LONGEST] if (name.isdecimal() or not name) and at < len(known) else name
            shade = shades[at] if at < len(shades) else None
            return Channel(name=own, colour=f"{shade & 0xFFFFFF:06x}" if isinstance(shade, int) else None)

        return tuple(channel(k, name) for k, name in enumerate(names))

    def metadata(self, title: str) -> Metadata:
        whole = {**self.summary, **self.first}
        position = {axis: self._place(axis) for axis in "xyz"}
        extra = {key: whole[key] for key in ("MicroManagerVersion", "Prefix", "Camera", "Exposure-ms") if key in whole}
        comment = whole.get("Comment") or whole.get("Comments")
        return Metadata(
            format=title,
            description=comment[:LONGEST] if isinstance(comment, str) else "",
            acquired=next(filter(None, (spelled(str(whole[key])) for key in TIMES if key in whole)), None),
            instrument=str(whole.get("Core-Camera", whole.get("Camera", ""))),
            position={axis: at for axis, at in position.items() if at is not None},
            extra={key: str(value)[:LONGEST] for key, value in extra.items()},
        )

    def _place(self, axis: str) -> float | None:
        name = axis.upper()
        return _number(self.first, f"{name}PositionUm", f"{name}Position_um_Intended", f"{name}Position_um")


def _number(told: Document, *names: str) -> float | None:
    """The first of these that is a finite number."""
    values: tuple[Any, ...] = tuple(told[name] for name in names if name in told)
    return next((found for found in (number(value) for value in values) if found is not None), None)
