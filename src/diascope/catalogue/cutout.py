"""A region of an image as raw pixels in one file: npy, TIFF or NIfTI."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from typing import Literal, TypeAlias

import numpy as np

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.located import viewed
from diascope.errors import BadRequest, TooLarge
from diascope.image.cutout import Positions, Spacing, extent, grid, pixel_positions, positions, spacing
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.order import moved
from diascope.image.region import Region
from diascope.image.resampled import resampled
from diascope.image.units import ratio
from diascope.tree.file import File, whole

Format: TypeAlias = Literal["npy", "tiff", "nii"]

RANGE = re.compile(r"(-?\d{0,15}(?:\.\d{1,9})?)\.\.(-?\d{0,15}(?:\.\d{1,9})?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be cut out: ``ranges`` are ``start..stop`` by axis, either end may be missing.

    With ``spacing`` (such as ``2 um``) the pixels are resampled to that distance along the spatial axes, and the ranges
    of these axes are in its unit, from the outer edge of the image's first pixel: the native spacing gives the pixels
    themselves. Without it the ranges are pixels of ``level``.
    """

    ranges: Mapping[str, str]
    level: int = 0
    spacing: str | None = None
    format: Format = "npy"


@dataclass(frozen=True, slots=True)
class _Cut:
    """Pixels that are yet to be read, and where they lie."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    read: Callable[[], Pixels]


def cutout(catalogue: Catalogue, path: str, view: str, wanted: Wanted) -> File:
    """The file; raises TooLarge before reading where the pixels are over the limit on one answer."""
    image, identity = viewed(catalogue, path, view)
    if unknown := set(wanted.ranges) - set(image.axis_names):
        raise BadRequest(f"the image has the axes {image.axis_names!r}, not {', '.join(sorted(unknown))!r}")
    cut = _at_spacing(image, wanted, wanted.spacing) if wanted.spacing else _at_level(image, wanted)
    size = math.prod(cut.shape) * image.dtype.itemsize
    if size > catalogue.max_request:
        raise TooLarge(f"{cut.shape} pixels are {size} bytes, over the limit of {catalogue.max_request} (max_request)")
    write, media_type = WRITERS[wanted.format]
    etag = sha256(f"{identity}\0{wanted}".encode()).hexdigest()[:32]
    return replace(whole(lambda: write(image, cut), media_type), etag=etag)


def _at_level(image: Image, wanted: Wanted) -> _Cut:
    if not 0 <= wanted.level < len(image.levels):
        raise BadRequest(f"level={wanted.level}: the image has the levels 0 to {len(image.levels) - 1}")
    level = image.levels[wanted.level]
    ends = [
        _whole_ends(wanted.ranges.get(axis.name, ".."), size, axis.name)
        for axis, size in zip(image.axes, level.shape, strict=True)
    ]
    region = Region(tuple(start for start, _ in ends), tuple(stop for _, stop in ends))
    return _Cut(region.shape, level.scale, lambda: level.read(region))


def _at_spacing(image: Image, wanted: Wanted, text: str) -> _Cut:
    """Pixel k of the cut has its centre half a pixel and k pixels behind the range's start."""
    wanted_spacing = spacing(text)
    cut = grid([_along(image, d, wanted_spacing, wanted.ranges) for d in range(len(image.axes))])
    return _Cut(cut.shape, cut.spacing, lambda: resampled(image, cut))


def _along(image: Image, d: int, wanted: Spacing, ranges: Mapping[str, str]) -> Positions:
    axis = image.axes[d]
    text = ranges.get(axis.name, "..")
    if axis.type != "space":
        return pixel_positions(image, d, *_whole_ends(text, image.shape[d], axis.name))
    return positions(image, d, _ends(text, 0, extent(image, d, wanted.unit), axis.name), wanted)


def _whole_ends(text: str, size: int, axis: str) -> tuple[int, int]:
    low, high = _ends(text, 0, size, axis)
    if low != int(low) or high != int(high):
        raise BadRequest(f"{axis}={text}: without a spacing a range is of whole pixels")
    return int(low), int(high)


def _ends(text: str, low: float, high: float, axis: str) -> tuple[float, float]:
    """Both ends of a range within an axis that reaches from low to high."""
    found = RANGE.fullmatch(text)
    if not found or "-" in found.groups():
        raise BadRequest(f"{axis}={text!r} is no range such as 0..512")
    start, stop = (float(part) if part else default for part, default in zip(found.groups(), (low, high), strict=True))
    if not low <= start < stop <= high:
        raise BadRequest(f"{axis}={text}: the range is empty or leaves {low:g}..{high:g}")
    return start, stop


def _npy(_: Image, cut: _Cut) -> bytes:
    """https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""  # noqa: D400, D415
    out = BytesIO()
    np.save(out, np.ascontiguousarray(cut.read()), allow_pickle=False)
    return out.getvalue()


def _tiff(image: Image, cut: _Cut) -> bytes:
    """OME-TIFF, with the axes and the distances of pixels."""
    import tifffile

    pixels = cut.read()
    if pixels.dtype.kind == "b":
        pixels = pixels.view(np.uint8)
    rgb = image.kind == "rgb"
    names = image.axis_names
    if rgb:
        pixels, names = moved(pixels, names, names.replace("c", "") + "c"), names.replace("c", "") + "c"
    metadata: dict[str, object] = {"axes": names.upper().replace("C", "S") if rgb else names.upper()}
    for axis, distance in zip(image.axes, cut.spacing, strict=True):
        if axis.type == "space" and axis.unit:
            metadata[f"PhysicalSize{axis.name.upper()}"] = distance * ratio(axis.unit, "micrometer")
            metadata[f"PhysicalSize{axis.name.upper()}Unit"] = "µm"
    out = BytesIO()
    photometric = "rgb" if rgb else "minisblack"
    tifffile.imwrite(out, np.ascontiguousarray(pixels), ome=True, photometric=photometric, metadata=metadata)
    return out.getvalue()


def _nii(image: Image, cut: _Cut) -> bytes:
    """NIfTI-1, x fastest, with the distances of pixels in millimetres; where the cut lies is not told."""
    import nibabel

    pixels = cut.read()
    order = "xyztc"
    if pixels.dtype.kind == "b" or pixels.dtype == np.float16:
        pixels = pixels.astype(np.uint8 if pixels.dtype.kind == "b" else np.float32)
    array = moved(pixels, image.axis_names, order)
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    header = nibabel.Nifti1Header()
    header.set_data_dtype(array.dtype)
    volume = nibabel.Nifti1Image(array, None, header)
    volume.header.set_zooms(_zooms(image, cut, order)[: array.ndim])
    volume.header.set_xyzt_units("mm", "sec")
    return bytes(volume.to_bytes())


def _zooms(image: Image, cut: _Cut, order: str) -> list[float]:
    known = {axis.name: (axis, spacing) for axis, spacing in zip(image.axes, cut.spacing, strict=True)}
    zooms = []
    for name in order:
        axis, spacing = known.get(name, (None, 1.0))
        target = "second" if name == "t" else "millimeter"
        zooms.append(spacing * ratio(axis.unit, target) if axis and axis.unit else spacing)
    return zooms


WRITERS: dict[Format, tuple[Callable[[Image, _Cut], bytes], str]] = {
    "npy": (_npy, "application/octet-stream"),
    "tiff": (_tiff, "image/tiff"),
    "nii": (_nii, "application/octet-stream"),
}
