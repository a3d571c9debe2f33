"""The part of a IIIF address behind the identifier: region, size, rotation, quality and format.

https://iiif.io/api/image/3.0/#4-image-requests: clause 4.1 region, 4.2 size, 4.3 rotation, 4.4 quality, 4.5 format,
4.6 their order.
"""

from __future__ import annotations

import re
from math import floor, sqrt
from typing import NamedTuple

from diascope.errors import BadRequest, Unimplemented

MAX_SIDE = 16_383
"""Pixels along a side of a picture that is sent: as many as WebP can hold."""
MAX_AREA = 1 << 24
"""Pixels of a picture that is sent."""

QUALITIES = ("default", "color", "gray", "bitonal")
FORMATS = ("jpg", "png", "webp")
OTHER_FORMATS = ("tif", "gif", "jp2", "pdf")
"""Those of clause 4.5 that are not served."""

INTEGER = r"([0-9]{1,18})"
DECIMAL = r"([0-9]{1,18}(?:\.[0-9]{1,18})?|\.[0-9]{1,18})"
PIXELS = re.compile(",".join([INTEGER] * 4))
PERCENTS = re.compile("pct:" + ",".join([DECIMAL] * 4))
SIDES = re.compile(r"([0-9]{0,18}),([0-9]{0,18})")
FITTED = re.compile(rf"!{INTEGER},{INTEGER}")
PERCENT = re.compile(f"pct:{DECIMAL}")
ROTATION = re.compile(f"(!?){DECIMAL}")


class Size(NamedTuple):
    """Columns and rows."""

    width: int
    height: int


class Box(NamedTuple):
    """The region that is extracted, in pixels of the whole picture and inside it."""

    x: int
    y: int
    width: int
    height: int


class Request(NamedTuple):
    """What to do with a picture, in this order."""

    box: Box
    size: Size
    mirrored: bool
    """Left and right are exchanged before the rotation."""
    turns: int
    """Clockwise by 90 degrees, 0 to 3 times."""
    quality: str
    format: str


def request(  # noqa: PLR0913  # the four segments of an address, and wherein versions differ
    picture: Size, region: str, size: str, rotation: str, name: str, *, free: bool = False
) -> Request:
    """The request that the four segments of an address spell; sizes that are free may grow without a ^.

    Raises BadRequest where one is malformed or out of bounds, Unimplemented where it is an option not served.
    """
    quality, _, format = name.partition(".")
    if format not in FORMATS:
        _refuse(f"the format {format!r} is none of {', '.join(FORMATS)}", valid=format in OTHER_FORMATS)
    if quality not in QUALITIES:
        _refuse(f"the quality {quality!r} is none of {', '.join(QUALITIES)}")
    box = _box(picture, region)
    mirrored, turns = _rotation(rotation)
    return Request(box, _size(box, size, free=free), mirrored, turns, quality, format)


def _refuse(message: str, *, valid: bool = False) -> None:
    raise (Unimplemented if valid else BadRequest)(message)


def _box(picture: Size, text: str) -> Box:
    """Clause 4.1: what of the region lies in the picture."""
    x, y, width, height = _wanted(picture, text)
    width, height = min(width, picture.width - x), min(height, picture.height - y)
    if width <= 0 or height <= 0:
        raise BadRequest(f"the region {text!r} has no pixel of the {picture.width} x {picture.height} there are")
    return Box(x, y, width, height)


def _wanted(picture: Size, text: str) -> Box:
    width, height = picture
    if text == "full":
        return Box(0, 0, width, height)
    if text == "square":
        side = min(picture)
        return Box((width - side) // 2, (height - side) // 2, side, side)
    if found := PIXELS.fullmatch(text):
        return Box(*map(int, found.groups()))
    if found := PERCENTS.fullmatch(text):
        parts = zip(map(float, found.groups()), (width, height, width, height), strict=True)
        return Box(*(_rounded(percent * side / 100) for percent, side in parts))
    raise BadRequest(f"{text!r} is no region: full, square, x,y,w,h or pct:x,y,w,h")


def _size(box: Box, text: str, *, free: bool) -> Size:
    """Clause 4.2: the size of the picture before it is rotated."""
    grows = free or text.startswith("^")
    form = text if free else text.removeprefix("^")
    size = _scaled(box, form, grows=grows)
    if size is None:
        more = "" if free else ", each also with ^ before it"
        raise BadRequest(f"{text!r} is no size: max, w, ,h pct:n w,h or !w,h{more}")
    if 0 in size:
        raise BadRequest(f"the size {text!r} has no pixel")
    if not grows and (size.width > box.width or size.height > box.height):
        raise BadRequest(f"the size {text!r} is larger than the region, {box.width} x {box.height}; write '^{text}'")
    if max(size) > MAX_SIDE or size.width * size.height > MAX_AREA:
        raise BadRequest(
            f"the size {size.width} x {size.height} is over the limits of {MAX_SIDE} pixels along a side and {MAX_AREA}"
        )
    return size


def _scaled(box: Box, form: str, *, grows: bool) -> Size | None:
    """The size that a form without ^ asks for, unchecked; None where it is malformed."""
    if form == "max":
        largest = _largest_scale(box)
        return _within(box, largest if grows else min(largest, 1))
    if found := PERCENT.fullmatch(form):
        scale = float(found[1]) / 100
        return Size(_rounded(box.width * scale), _rounded(box.height * scale))
    if found := FITTED.fullmatch(form):
        # The clause would give a region smaller than w,h as it is; both validators ask for an error instead.
        scale, largest = min(int(found[1]) / box.width, int(found[2]) / box.height), _largest_scale(box)
        return _within(box, largest) if scale > largest else _nearest(box, scale) if scale else Size(0, 0)
    if (found := SIDES.fullmatch(form)) and form != ",":
        return _sides(box, found[1], found[2])
    return None


def _sides(box: Box, width: str, height: str) -> Size:
    """Of ``w,h`` exactly these; of ``w,`` or ``,h`` the other side in proportion, and never nothing."""
    if width and height:
        return Size(int(width), int(height))
    if width:
        return Size(int(width), max(_rounded(int(width) * box.height / box.width), 1))
    return Size(max(_rounded(int(height) * box.width / box.height), 1), int(height))


def _largest_scale(box: Box) -> float:
    """By how much a region may at most be scaled."""
    return min(MAX_SIDE / max(box.width, box.height), sqrt(MAX_AREA / (box.width * box.height)))


def _within(box: Box, scale: float) -> Size:
    """The largest size that is not larger than the scaled region, and not nothing."""
    # A hair is added so that a side that comes out whole is not lost to rounding.
    return Size(max(floor(box.width * scale + 1e-6), 1), max(floor(box.height * scale + 1e-6), 1))


def _nearest(box: Box, scale: float) -> Size:
    """The size nearest to that of the scaled region, and not nothing."""
    return Size(max(_rounded(box.width * scale), 1), max(_rounded(box.height * scale), 1))


def _rounded(value: float) -> int:
    return floor(value + 0.5)


def _rotation(text: str) -> tuple[bool, int]:
    """Clause 4.3."""
    found = ROTATION.fullmatch(text)
    degrees = float(found[2]) if found else -1.0
    if not found or degrees > 360:
        raise BadRequest(f"{text!r} is no rotation: degrees from 0 to 360, with ! before them to mirror")
    if degrees % 90:
        raise Unimplemented(f"pictures are rotated by multiples of 90 degrees, not by {degrees:g}")
    return bool(found[1]), int(degrees // 90) % 4
