"""What the XML of an image says besides where its pixels are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from diascope.image.metadata import Channel, Metadata
from diascope.sources.leica.layout import EMISSION, MOSAIC, SPACE, TIMES, WAVELENGTHS, Layout, real
from diascope.sources.reading.numbers import number, positive

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

COLOURS = {
    "red": "ff0000", "green": "00ff00", "blue": "0000ff", "gray": "ffffff", "grey": "ffffff", "cyan": "00ffff",
    "magenta": "ff00ff", "yellow": "ffff00",
}  # fmt: skip
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
TICKS = 10_000_000
"""Of a second, since then."""

MICROMETRES = 1e6
"""In a metre."""
NANOMETRES = 1e9
MOST = 10_000
"""How many of a list are told."""


def channels(image: Element, found: Layout) -> tuple[Channel, ...]:
    """One for each channel and each wavelength of it."""
    described = image.findall("ImageDescription/Channels/ChannelDescription")
    dyes = _dyes(image, len(described))
    plain = [_channel(each, dye) for each, dye in zip(described, dyes, strict=True)]
    windows = image.findall("Attachment[@Name='ViewerScaling']/ChannelScalingInfo")
    if len(windows) == len(plain):
        plain = [_shown(*each) for each in zip(plain, described, windows, strict=True)]
    waves = found.dimension(*WAVELENGTHS)
    if waves is None or found.shape[found.axes.index("c")] != len(plain) * waves.count or waves.count > MOST:
        return tuple(plain) if waves is None else ()
    step = waves.length / (waves.count - 1) if waves.count > 1 else 0.0
    lengths = [round((waves.origin + k * step) * NANOMETRES, 3) for k in range(waves.count)]
    is_emission = waves.kind == EMISSION
    return tuple(_at(each, length, is_emission) for each in plain for length in lengths)


def _at(channel: Channel, length: float, is_emission: bool) -> Channel:
    known = length if length > 0 else None
    return Channel(
        name=f"{channel.name} {length:g} nm".strip(),
        emission=known if is_emission else None,
        excitation=None if is_emission else known,
    )


def _channel(element: Element, dye: str) -> Channel:
    told = {each.findtext("Key"): each.findtext("Value") for each in element.findall("ChannelProperty")}
    name = told.get("DyeName") or element.get("NameOfMeasuredQuantity") or dye
    return Channel(name=(name or "").strip(), colour=_colour(element.get("LUTName", "")))


def _colour(name: str) -> str | None:
    """Of a table by its name, or of what newer programs write: ``#aarrggbb``."""
    text = name.strip().lower().removeprefix("#").removeprefix("0x")
    is_number = len(text) in {6, 8} and all(letter in "0123456789abcdef" for letter in text)
    return text[-6:] if is_number else COLOURS.get(text)


def _shown(channel: Channel, described: Element, scaling: Element) -> Channel:
    low, high = real(described, "Min"), real(described, "Max")
    black, white = real(scaling, "BlackValue"), real(scaling, "WhiteValue")
    window = (low + black * (high - low), low + white * (high - low))
    is_real = high > low and 0 <= black < white <= 1 and (black, white) != (0.0, 1.0)
    return Channel(name=channel.name, colour=channel.colour, window=window if is_real else None)


def _dyes(image: Element, count: int) -> list[str]:
    """What the active detectors looked at, where there is one for each channel."""
    setting = _setting(image)
    if setting is None:
        return [""] * count
    active = [each.get("Channel") for each in setting.iter("Detector") if each.get("IsActive") == "1"]
    bands = {each.get("Channel"): each.get("DyeName", "") for each in setting.iter("MultiBand")}
    return [bands.get(each, "") for each in active] if len(active) == count else [""] * count


def _setting(image: Element) -> Element | None:
    """How the microscope was set, of the first of several settings."""
    for attachment in image.findall("Attachment[@Name='HardwareSetting']"):
        found = next((each for each in attachment.iter() if each.get("ObjectiveName")), None)
        if found is not None:
            return found
    return None


def metadata(image: Element, found: Layout, tile: int) -> Metadata:
    setting = _setting(image)
    records = _records(image)
    attributes = {} if setting is None else {name: value.strip() for name, value in setting.attrib.items()}
    stamps = _stamps(image)
    magnification, aperture = attributes.get("Magnification"), attributes.get("NumericalAperture")
    system = image.find("Attachment[@Name='HardwareSetting']")
    return Metadata(
        format="Leica",
        description=image.get("TextDescription", "") or image.findtext("ImageDescription/Name") or "",
        acquired=stamps[0] if stamps else None,
        magnification=positive(magnification or records.get("Magnification")),
        objective=" ".join((attributes.get("ObjectiveName") or records.get("Objective", "")).split()),
        aperture=positive(aperture or records.get("NumericalAperture")),
        instrument=" ".join(
            part
            for part in (
                "Leica",
                system.get("SystemTypeName", "") if system is not None else records.get("SystemType", ""),
                attributes.get("MicroscopeModel", ""),
            )
            if part
        ),
        position=_stage(image, attributes, tile),
        extra=_extra(image, found, attributes, tile),
    )


def _records(image: Element) -> dict[str, str]:
    """The settings of older programs."""
    found = {}
    for each in image.iter("FilterSettingRecord"):
        if each.get("ClassName") == "CTurret":
            found[each.get("Attribute", "")] = each.get("Variant", "")
    for each in image.iter("ScannerSettingRecord"):
        found[each.get("Identifier", "")] = each.get("Variant", "")
    return found


def _stage(image: Element, attributes: dict[str, str], tile: int) -> dict[str, float]:
    """In micrometres: of a tile its own place, else the stage's."""
    tiles = image.findall("Attachment[@Name='TileScanInfo']/Tile")
    if tile < len(tiles) and len(tiles) > 1:
        given = {axis: tiles[tile].get(f"Pos{axis.upper()}") for axis in "xyz"}
    else:
        given = {axis: attributes.get(f"StagePos{axis.upper()}") for axis in "xy"} | {"z": attributes.get("ZPosition")}
    places = {axis: number(text) for axis, text in given.items()}
    return {axis: round(place * MICROMETRES, 6) for axis, place in places.items() if place is not None}


def _stamps(image: Element) -> list[str]:
    """When the first frames were acquired."""
    listed = image.find("TimeStampList")
    if listed is None:
        return []
    pairs = listed.findall("TimeStamp")[:1]
    try:
        ticks = [(int(each.get("HighInteger", "")) << 32) + int(each.get("LowInteger", "")) for each in pairs]
        ticks = ticks or [int(text, 16) for text in (listed.text or "")[:64].split()[:1]]
        return [(EPOCH + timedelta(seconds=tick // TICKS)).isoformat() for tick in ticks if tick > 0]
    except (ValueError, OverflowError):
        return []


def _extra(image: Element, found: Layout, attributes: dict[str, str], tile: int) -> dict[str, Any]:
    described = image.findall("ImageDescription/Channels/ChannelDescription")
    kinds = {**SPACE, **dict.fromkeys(TIMES, "t"), **dict.fromkeys(WAVELENGTHS, "c"), MOSAIC: "tile"}
    dimensions = [
        {"axis": kinds[each.kind], "id": each.kind, "count": each.count, "origin": each.origin, "length": each.length,
         "unit": each.unit}
        for each in found.dimensions
    ]  # fmt: skip
    bands = [
        {name: each.get(name, "") for name in ("ChannelName", "DyeName", "LeftWorld", "RightWorld")}
        for each in image.iter("MultiBand")
    ]
    told = {
        "dimensions": dimensions,
        "bits": [each.get("Resolution", "") for each in described],
        "lookup_tables": [each.get("LUTName", "") for each in described],
        "bands": bands[:MOST],
        "setting": dict(list(attributes.items())[:MOST]),
        **({"tile": tile} if len(found.tiles) > 1 else {}),
    }
    return {key: value for key, value in told.items() if value or key == "tile"}
