"""What is known of an image besides its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST_PROFILE = 1 << 22
"""How many bytes a colour profile has at most; those of presses have one or two million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel and how it is shown."""

    name: str = ""
    colour: str | None = None
    """``rrggbb``, six lower-case hexadecimal digits."""
    window: tuple[float, float] | None = None
    """The intensities shown as black and as the full colour."""
    excitation: float | None = None
    """Wavelength in nanometres."""
    emission: float | None = None
    """Wavelength in nanometres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a file says of its image, in the model's words; the rest under ``extra``."""

    format: str = ""
    """The format's title, with its variant: ``OME-TIFF``, ``Aperio SVS``."""
    description: str = ""
    acquired: str | None = None
    """The date of acquisition, ISO 8601."""
    magnification: float | None = None
    """The nominal magnification of the objective."""
    objective: str = ""
    """Its name, as its maker or the microscope has it."""
    aperture: float | None = None
    """Its numerical aperture."""
    instrument: str = ""
    """The microscope, scanner or camera, as the file names it."""
    position: Mapping[str, float] = field(default_factory=dict)
    """Where the stage was, in micrometres along ``x``, ``y`` and ``z``, of what the file tells."""
    rescale: tuple[float, float] | None = None
    """Slope and intercept from stored pixel values to the quantity that was measured; None where they are the same."""
    palette: tuple[str, ...] = ()
    """The colour of each pixel value as ``rrggbb``, where the pixels are indices of colours."""
    icc: bytes | None = field(default=None, repr=False)
    """The ICC profile of the colours, as it is embedded; None where the file has none."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """JSON values in the format's own words."""
