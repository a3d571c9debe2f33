"""Units of length and time by their UDUNITS-2 names, as OME-Zarr lists them (https://ngff.openmicroscopy.org/0.5/)."""

from __future__ import annotations

from diascope.errors import BadRequest

PREFIXES = {
    "yocto": 1e-24, "zepto": 1e-21, "atto": 1e-18, "femto": 1e-15, "pico": 1e-12, "nano": 1e-9, "micro": 1e-6,
    "milli": 1e-3, "centi": 1e-2, "deci": 1e-1, "": 1.0, "hecto": 1e2, "kilo": 1e3, "mega": 1e6, "giga": 1e9,
}  # fmt: skip

METRES = {
    **{prefix + "meter": factor for prefix, factor in PREFIXES.items()},
    "angstrom": 1e-10,
    "inch": 0.0254,
    "foot": 0.3048,
    "yard": 0.9144,
    "mile": 1609.344,
}

SECONDS = {
    **{prefix + "second": factor for prefix, factor in PREFIXES.items()},
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
}

SYMBOLS = {
    "pm": "picometer", "nm": "nanometer", "um": "micrometer", "µm": "micrometer", "μm": "micrometer",
    "mm": "millimeter", "cm": "centimeter", "dm": "decimeter", "m": "meter", "km": "kilometer", "Å": "angstrom",
    "in": "inch", "ft": "foot", "ns": "nanosecond", "us": "microsecond", "µs": "microsecond", "ms": "millisecond",
    "s": "second", "min": "minute", "h": "hour", "d": "day", "micron": "micrometer", "microns": "micrometer",
    "ps": "picosecond", "mi": "mile", "yd": "yard",
}  # fmt: skip


def named(unit: str | None) -> str | None:
    """The UDUNITS-2 name of a unit written as a symbol or a name, None where it is no length and no time."""
    if unit is None:
        return None
    text = unit.strip().replace("metre", "meter")
    if text in SYMBOLS:
        return SYMBOLS[text]
    singular = text.lower().removesuffix("s")
    singular = SYMBOLS.get(singular, singular)
    return singular if singular in METRES or singular in SECONDS else None


def ratio(unit: str, to: str) -> float:
    """How many of the second unit make one of the first."""
    for table in (METRES, SECONDS):
        if unit in table and to in table:
            return table[unit] / table[to]
    msg = f"{unit!r} cannot be expressed in {to!r}"
    raise BadRequest(msg)
