"""What an ND2 file says of its images, in the model's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, TypeGuard

import numpy as np

from diascope.image.metadata import Channel, Metadata
from diascope.sources.nd2.experiment import Position
from diascope.sources.nd2.frames import Frames
from diascope.sources.reading.numbers import positive

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
JULIAN = 2440587.5
"""The Julian day of that."""

MOST_TIMES = 10_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is decoded of a file once for all its positions."""

    version: str
    channels: list[Any]
    """As nd2 decodes them."""
    picture: Mapping[str, Any]
    """The metadata of the first frame, in the file's words."""
    text: Mapping[str, str]
    loops: list[Any]
    times: np.ndarray[Any, np.dtype[np.float64]]
    """When each frame was acquired, in milliseconds; NaN or nothing where that is not known."""
    bits: int = 0

    def channel_list(self, components: int) -> tuple[Channel, ...]:
        """One for each component; none where the file's do not fit them."""
        found = [self._channel(each, k) for each in self.channels for k in range(each.volume.componentCount)]
        return tuple(found) if len(found) == components else ()

    def _channel(self, given: Any, component: int) -> Channel:
        is_one = given.volume.componentCount == 1
        told = given.channel
        name = str(told.name or "").strip("\0 ")
        return Channel(
            name=name if is_one else f"{name} {component + 1}".strip(),
            colour=f"{told.color.r:02x}{told.color.g:02x}{told.color.b:02x}" if is_one else None,
            excitation=positive(told.excitationLambdaNm) if is_one else None,
            emission=positive(told.emissionLambdaNm) if is_one else None,
        )

    def spacing(self, frames: Frames) -> dict[str, float]:
        """The distances that are known: in micrometres, and in seconds along t."""
        found: dict[str, float] = {}
        if self.channels:
            volume = self.channels[0].volume
            given = zip("xyz", volume.axesCalibration, volume.axesCalibrated, volume.axesInterpretation, strict=True)
            found = {name: size for name, size, is_known, what in given if is_known and what == "distance"}
        step = self._interval(frames)
        return {name: float(size) for name, size in {**found, "t": step}.items() if isfinite(size) and size > 0}

    def seconds(self, frames: Frames) -> list[float]:
        """When the first plane of each time was acquired; nothing where that is not known of all."""
        count, apart = frames.loops.get("t", (1, 0))
        numbers = frames.first + apart * np.arange(min(count, MOST_TIMES))
        if numbers[-1] >= len(self.times):
            return []
        found = self.times[numbers] / 1000
        return [round(float(second), 6) for second in found] if np.isfinite(found).all() else []

    def _interval(self, frames: Frames) -> float:
        """Between times, on average as they were acquired, or else as they were asked for."""
        seconds = self.seconds(frames)
        if len(seconds) > 1 and seconds[-1] > seconds[0]:
            return (seconds[-1] - seconds[0]) / (len(seconds) - 1)
        periods = [getattr(loop.parameters, "periodMs", 0.0) for loop in self.loops if loop.type == "TimeLoop"]
        return float(periods[0]) / 1000 if periods else 0.0

    def metadata(self, position: Position, frames: Frames) -> Metadata:
        microscope = self.channels[0].microscope if self.channels else None
        stage = dict(zip("xyz", (self.picture.get(f"d{axis}Pos") for axis in "XYZ"), strict=True))
        return Metadata(
            format=f"Nikon ND2 {self.version}",
            acquired=self._acquired(),
            magnification=positive(getattr(microscope, "objectiveMagnification", None)),
            objective=str(getattr(microscope, "objectiveName", "") or self.text.get("optics", "")),
            aperture=positive(getattr(microscope, "objectiveNumericalAperture", None)),
            instrument=self._instrument(),
            position={**{axis: float(p) for axis, p in stage.items() if _is_number(p)}, **position.stage},
            extra=self._extra(position, frames),
        )

    def _extra(self, position: Position, frames: Frames) -> dict[str, Any]:
        seconds = self.seconds(frames) if "t" in frames.loops else []
        names = "zoomMagnification", "immersionRefractiveIndex", "pinholeDiameterUm", "modalityFlags"
        microscopes = [{name: getattr(each.microscope, name, None) for name in names} for each in self.channels]
        found = {
            "position_name": position.name,
            "significant_bits": self.bits,
            "microscope": [{k: v for k, v in each.items() if v} for each in microscopes],
            "text": {key: str(value)[:10_000] for key, value in self.text.items()},
            "seconds": seconds,
            "is_incomplete": frames.is_cut,
        }
        return {key: value for key, value in found.items() if value}

    def _acquired(self) -> str | None:
        day = self.picture.get("dTimeAbsolute")
        if not _is_number(day) or not JULIAN < float(day) < 2 * JULIAN:
            return None
        return (EPOCH + timedelta(seconds=round((float(day) - JULIAN) * 86400))).isoformat()

    def _instrument(self) -> str:
        told = self.text.get("description", "")
        found = re.search(r"Microscope: (?!Microscope)([^\r\n]+)", told) or re.search(r"Camera Name: ([^\r\n]+)", told)
        return f"Nikon {found[1].strip()}".replace("Nikon Nikon", "Nikon") if found else ""


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and isfinite(value)
