"""What an Imaris file tells of an image besides its pixels: texts, each in an attribute of its letters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Ints
from diascope.image.units import METRES, named, ratio
from diascope.sources.reading.h5.attributes import Attributes
from diascope.sources.reading.h5.node import Group
from diascope.sources.reading.numbers import positive

FIRST_NUMBER = re.compile(r"\d+(\.\d+)?")

LONG = 1 << 10
"""Of so many time points the times are compared."""
EQUAL = 1e-2


@dataclass(frozen=True, slots=True)
class Info:
    """A group ``DataSetInfo``, where there is one."""

    group: Group | None
    box: Ints
    """How many pixels the finest level has along z, y and x."""

    @property
    def unit(self) -> str | None:
        """That of lengths; micrometres, where Imaris says nothing else."""
        told = self._told("Image")
        if told is None or not self._extents:
            return None
        unit = named(told.text("Unit") or "um")
        return unit if unit in METRES else None

    @property
    def _extents(self) -> tuple[tuple[float, float], ...]:
        """From edge to edge along z, y and x; none where one is missing or empty."""
        told = self._told("Image")
        if told is None:
            return ()
        pairs = []
        for axis in (2, 1, 0):
            low, high = told.number(f"ExtMin{axis}"), told.number(f"ExtMax{axis}")
            if low is None or high is None or not low < high:
                return ()
            pairs.append((low, high))
        return tuple(pairs)

    def steps(self, box: Ints) -> tuple[float, ...]:
        """The distances of pixels where so many of them fill the extents."""
        extents = self._extents
        if not extents:
            return tuple(most / size for most, size in zip(self.box, box, strict=True))
        return tuple((high - low) / size for (low, high), size in zip(extents, box, strict=True))

    def interval(self, count: int) -> float | None:
        """Seconds between time points, None where they are unknown or not equal."""
        told = self._told("TimeInfo")
        times = [_seconds(told.text(f"TimePoint{k + 1}")) for k in range(min(count, LONG))] if told else []
        known = [time for time in times if time is not None]
        if len(known) < 2 or len(known) < len(times):
            return None
        mean = (known[-1] - known[0]) / (len(known) - 1)
        steps = [after - before for before, after in pairwise(known)]
        is_even = mean > 0 and all(abs(step - mean) <= EQUAL * mean for step in steps)
        return mean if is_even else None

    def channel(self, number: int) -> Channel:
        told = self._told(f"Channel {number}")
        if told is None:
            return Channel()
        window = told.numbers("ColorRange")
        return Channel(
            name=told.text("Name"),
            colour=_colour(told) if told.text("ColorMode") != "TableColor" else None,
            window=(window[0], window[1]) if len(window) == 2 and window[0] < window[1] else None,
            excitation=_wavelength(told.text("LSMExcitationWavelength")),
            emission=_wavelength(told.text("LSMEmissionWavelength")),
        )

    @property
    def metadata(self) -> Metadata:
        told = self._told("Image")
        text = told.text if told else lambda _: ""
        power = FIRST_NUMBER.search(text("LensPower"))
        return Metadata(
            format="Imaris",
            description=text("Description"),
            acquired=_date(text("RecordingDate")) or self._first_time,
            magnification=float(power[0]) if power and float(power[0]) > 0 else None,
            aperture=positive(text("NumericalAperture")),
            instrument=text("MicroscopeModality"),
            position=self._position,
            extra=self._extra,
        )

    @property
    def _first_time(self) -> str | None:
        """The time of the first time point, unless it is the one that writers put there who know none."""
        told = self._told("TimeInfo")
        date = _date(told.text("TimePoint1")) if told else None
        return None if date and date.startswith(("2000-01-01T00:00:00", "1970-01-01")) else date

    @property
    def _position(self) -> dict[str, float]:
        """Of the lower edges, where they are not at 0."""
        if not self.unit or not any(low for low, _ in self._extents):
            return {}
        micrometres = ratio(self.unit, "micrometer")
        return {axis: low * micrometres for axis, (low, _) in zip("zyx", self._extents, strict=True)}

    @property
    def _extra(self) -> dict[str, Any]:
        names = (
            [name for name in self.group.names()[:LONG] if not name.startswith(("TimeInfo", "Log"))]
            if self.group
            else []
        )
        return {n: told.told for n in names if n not in {"TimeInfo", "Log"} and (told := self._told(n))}

    def _told(self, name: str) -> Attributes | None:
        found = self.group.group(name) if self.group else None
        return found.attributes if found else None


def _colour(told: Attributes) -> str | None:
    parts = told.numbers("Color")
    if len(parts) != 3 or not all(0 <= part <= 1 for part in parts):
        return None
    return bytes(round(part * 255) for part in parts).hex()


def _wavelength(text: str) -> float | None:
    found = FIRST_NUMBER.search(text)
    return float(found[0]) if found and float(found[0]) > 0 else None


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _date(text: str) -> str | None:
    found = _parsed(text)
    return found.isoformat() if found else None


def _seconds(text: str) -> float | None:
    found = _parsed(text)
    return (found.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds() if found else None  # noqa: DTZ001
