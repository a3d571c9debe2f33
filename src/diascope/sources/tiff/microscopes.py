"""What microscopes write of their images in tags of their own, as tifffile reads them."""

from __future__ import annotations

from typing import Any

from diascope.image.metadata import Channel, Metadata
from diascope.image.units import named
from diascope.sources.tiff.parsed import Parsed
from diascope.sources.tiff.scene import Facts

METRE = 1e6
"""Micrometres in one."""


def lsm(file: Parsed, series: Any) -> Facts:
    """Of a Zeiss LSM file, whose sizes are in metres and seconds."""
    told = file.tiff.lsm_metadata or {}
    spacing = {axis: _micrometres(told.get(f"VoxelSize{axis.upper()}")) for axis in "zyx"}
    known = {axis: (size, "micrometer") for axis, size in spacing.items() if size}
    interval = told.get("TimeIntervall")
    if isinstance(interval, float) and interval > 0:
        known["t"] = (interval, "second")
    is_thumbnail = bool(series.keyframe.subfiletype & 1)
    return Facts(
        spacing={} if is_thumbnail else known,
        channels=() if is_thumbnail else _lsm_channels(told.get("ChannelColors")),
        metadata=Metadata(format="Zeiss LSM"),
    )


def _lsm_channels(told: Any) -> tuple[Channel, ...]:
    if not isinstance(told, dict):
        return ()
    names, colours = told.get("ColorNames") or [], told.get("Colors") or []
    return tuple(
        Channel(name=str(name), colour=bytes(int(value) & 255 for value in colour[:3]).hex())
        for name, colour in zip(names, colours, strict=False)
    )


def stk(file: Parsed, _: Any) -> Facts:
    """Of a MetaMorph stack, calibrated in the unit that it names."""
    told = file.tiff.stk_metadata or {}
    unit = named(str(told.get("CalibrationUnits", "")))
    sizes = {"x": told.get("XCalibration"), "y": told.get("YCalibration")}
    spacing = {
        axis: (float(size), unit) for axis, size in sizes.items() if unit and isinstance(size, float) and size > 0
    }
    distances = told.get("ZDistance")
    if spacing and distances is not None and len(distances) and float(distances[0]) > 0:
        spacing["z"] = (float(distances[0]), "micrometer")
    created = told.get("DatetimeCreated")
    acquired = str(created[0]) if created is not None and len(created) else None
    return Facts(spacing=spacing, metadata=Metadata(format="MetaMorph STK", acquired=acquired))


def sis(file: Parsed, _: Any) -> Facts:
    """Of an Olympus SIS file, whose sizes are in metres."""
    told = file.tiff.sis_metadata or {}
    sizes = {"x": _micrometres(told.get("pixelsizex")), "y": _micrometres(told.get("pixelsizey"))}
    date = told.get("datetime")
    lens = told.get("magnification")
    return Facts(
        spacing={axis: (size, "micrometer") for axis, size in sizes.items() if size},
        channels=(Channel(name=str(told["name"])),) if told.get("name") else (),
        metadata=Metadata(
            format="Olympus SIS",
            acquired=date.isoformat() if date is not None else None,
            magnification=float(lens) if isinstance(lens, int | float) and lens > 0 else None,
        ),
    )


def fei(file: Parsed, _: Any) -> Facts:
    """Of a Thermo Fisher (FEI) electron micrograph, whose sizes are in metres."""
    scan = (file.tiff.fei_metadata or {}).get("Scan", {})
    sizes = {"x": _micrometres(scan.get("PixelWidth")), "y": _micrometres(scan.get("PixelHeight"))}
    return Facts(
        spacing={axis: (size, "micrometer") for axis, size in sizes.items() if size},
        metadata=Metadata(format="FEI TIFF"),
    )


def sem(file: Parsed, _: Any) -> Facts:
    """Of a Zeiss electron micrograph, whose tag names the size, the number and its unit."""
    told = (file.tiff.sem_metadata or {}).get("ap_image_pixel_size")
    is_told = isinstance(told, tuple) and len(told) > 2 and isinstance(told[1], int | float)
    unit = named(str(told[2])) if is_told and told else None
    spacing = {axis: (float(told[1]), unit) for axis in "yx"} if unit and told and told[1] > 0 else {}
    return Facts(spacing=spacing, metadata=Metadata(format="Zeiss SEM TIFF"))


def _micrometres(metres: Any) -> float | None:
    return float(metres) * METRE if isinstance(metres, int | float) and metres > 0 else None
