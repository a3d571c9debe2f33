"""What the settings of an Olympus image say of it, in the model's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from diascope.errors import Unreadable
from diascope.image.metadata import Channel, Metadata
from diascope.image.units import METRES, SECONDS, named
from diascope.sources.olympus.files import Files
from diascope.sources.olympus.planes import Planes
from diascope.sources.olympus.settings import Settings, real, settings, value
from diascope.sources.reading.numbers import positive

COMMON = "Axis {} Parameters Common"
ACQUISITION = "Acquisition Parameters Common"
REFERENCE = "Reference Image Parameter"
MOST_CHANNELS = 100

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)")
UNITS = {"z": "nm", "t": "ms"}
"""Of positions where no unit is named."""

LAST_COLOUR = 4
"""How many bytes the colour of the highest value has, the last of its table: blue, green, red and one more."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The settings of the whole and of its first plane."""

    main: Settings
    plane: Settings
    """Empty where there are none."""

    @property
    def rows(self) -> str:
        """Which axis the rows of a plane are."""
        order = value(self.main, "Axis Parameter Common", "AxisOrder").upper()
        sizes = {name: real(self.main, section, "MaxSize") or 0 for name, section in self._sections.items()}
        is_line = sizes.get("y", 0) <= 1 and order[:1] == "X" and order[1:2] in {"Z", "T"}
        return order[1].lower() if is_line else "y"

    @property
    def _sections(self) -> dict[str, str]:
        """Of the settings, by the letter of their axis."""
        sections = [COMMON.format(k) for k in range(8)]
        return {value(self.main, each, "AxisCode").lower(): each for each in sections if each in self.main}

    def spacing(self, found: Planes) -> dict[str, tuple[float, str]]:
        """The distances that are known: lengths in micrometres, times in seconds."""
        sizes = dict(zip(found.axes, found.shape, strict=True))
        known: dict[str, tuple[float, str]] = {}
        for axis, name in (("x", "Width"), ("y", "Height")):
            size = real(self.main, REFERENCE, f"{name}ConvertValue")
            unit = named(value(self.main, REFERENCE, f"{name}Unit") or "um")
            if size and size > 0 and unit in METRES and axis in sizes:
                known[axis] = (size * METRES[unit] / METRES["micrometer"], "micrometer")
        for axis in "zt":
            step = self._step(axis, sizes.get(axis, 1))
            if step:
                known[axis] = step
        return known

    def _step(self, axis: str, count: int) -> tuple[float, str] | None:
        section = self._sections.get(axis, "")
        start, stop = real(self.main, section, "StartPosition"), real(self.main, section, "EndPosition")
        table, unit = (SECONDS, "second") if axis == "t" else (METRES, "micrometer")
        given = named(value(self.main, section, "UnitName") or value(self.main, section, "PixUnit") or UNITS[axis])
        if count < 2 or start is None or stop is None or start == stop or given not in table:
            return None
        step = abs(stop - start) / (count - 1) * table[given] / table[unit]
        return float(f"{step:.12g}"), unit

    def channels(self, files: Files, found: Planes) -> tuple[Channel, ...]:
        """One for each channel and each wavelength of it; none where the settings have others."""
        sections = (f"GUI Channel {k} Parameters" for k in range(1, MOST_CHANNELS))
        active = [each for each in sections if value(self.main, each, "CH Activate") not in {"", "0"}]
        count = found.sizes[1] // found.lambdas
        if len(active) != count:
            return ()
        made = [self._channel(each, _colour(files, self._table(k))) for k, each in enumerate(active)]
        return tuple(each for each in made for _ in range(found.lambdas))

    def _channel(self, section: str, colour: str | None) -> Channel:
        name, dye = value(self.main, section, "CH Name"), value(self.main, section, "DyeName")
        return Channel(
            name=name if dye.lower() in {"", "none"} else dye,
            colour=colour,
            excitation=positive(real(self.main, section, "ExcitationWavelength")),
            emission=positive(real(self.main, section, "EmissionWavelength")),
        )

    def _table(self, channel: int) -> str:
        """The name of the file of a channel's colours."""
        saved = self.main.get("ProfileSaveInfo", {})
        tables = [each for name, each in saved.items() if name.startswith("LutFileName")]
        return tables[channel].replace("\\", "/").rpartition("/")[2].lower() if channel < len(tables) else ""

    def metadata(self, title: str, found: Planes) -> Metadata:
        told = {**self.main.get(ACQUISITION, {}), **self.plane.get(ACQUISITION, {})}
        merged: Settings = {ACQUISITION: told}
        bits = value(self.main, REFERENCE, "ValidBitCounts")
        version = value(self.main, "ProfileSaveInfo", "Version") or value(self.main, "Version Info", "SystemVersion")
        extra: dict[str, Any] = {
            "software": version,
            "significant_bits": bits,
            "wavelengths": found.lambdas if found.lambdas > 1 else 0,
            "axes": {name: self.main[section] for name, section in self._sections.items()},
            "channels": {name: each for name, each in self.main.items() if name.startswith("GUI Channel")},
            "acquisition": told,
            "stage": self.plane.get("Axis 7 Parameters", {}),
        }
        system = value(self.main, "Version Info", "SystemName") or told.get("Acquisition Device", "")
        return Metadata(
            format=title,
            acquired=self._acquired(told),
            magnification=positive(real(merged, ACQUISITION, "Magnification")),
            objective=told.get("ObjectiveLens Name", ""),
            aperture=positive(real(merged, ACQUISITION, "ObjectiveLens NAValue")),
            instrument=f"Olympus {system}".replace("Olympus Olympus", "Olympus") if system else "Olympus",
            extra={key: each for key, each in extra.items() if each},
        )

    def _acquired(self, told: dict[str, str]) -> str | None:
        laser = self.main.get("Laser 0 Parameters", {})
        texts = (each.get(name, "") for each in (told, laser) for name in ("ImageCaputreDate", "ImageCaptureDate"))
        found = next((match for text in texts if (match := DATE.search(text))), None)
        return "{}-{}-{}T{}:{}:{}".format(*found.groups()) if found else None


def facts(files: Files) -> Facts:
    """The settings of the main file, and of the first plane that has some."""
    names = sorted(name for name in files.names if name.endswith(".pty") and "-r" not in name)
    plane: Settings = {}
    for name in names[:1]:
        try:
            plane = settings(files.read(name))
        except Unreadable:
            plane = {}
    return Facts(settings(files.read(files.main)), plane)


def _colour(files: Files, name: str) -> str | None:
    """The colour of the highest value."""
    if name not in files.names:
        return None
    data = files.tail(name, LAST_COLOUR)
    if len(data) < LAST_COLOUR:
        return None
    blue, green, red = data[:3]
    return f"{red:02x}{green:02x}{blue:02x}" if red or green or blue else None
