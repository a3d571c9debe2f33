"""What is told of a picture before it is decoded, and how it is decoded."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from diascope.image.metadata import LARGEST_PROFILE, Channel
from diascope.image.region import Ints
from diascope.sources.reading.pictures.decoded import Decode

MODES: Mapping[str, tuple[Any, int]] = {
    "1": (np.bool_, 1),
    "L": (np.uint8, 1),
    "P": (np.uint8, 1),
    "LA": (np.uint8, 2),
    "PA": (np.uint8, 2),
    "RGB": (np.uint8, 3),
    "RGBA": (np.uint8, 4),
    "CMYK": (np.uint8, 4),
    "I": (np.int32, 1),
}
"""Type and number of samples of Pillow's modes; the pixels of P are indices into the palette."""

CHANNELS: Mapping[str, Sequence[str]] = {
    "LA": ("lightness", "opacity"),
    "PA": ("index", "opacity"),
    "CMYK": ("cyan", "magenta", "yellow", "black"),
}

ORIENTATION, DESCRIPTION, DATE_TIME, EXIF_FOLDER, TAKEN = 0x112, 0x10E, 0x132, 0x8769, 0x9003


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The header of a picture."""

    format: str
    width: int
    height: int
    mode: str
    """One of Pillow's, or one with 16 bits a sample: ``L;16``, ``LA;16``, ``RGB;16``, ``RGBA;16``, ``CMYK;16``."""
    decode: Decode
    frames: int = 1
    exif: bytes = b""
    icc: bytes | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> tuple[np.dtype[Any], int]:
        """The type of a sample, and how many make a pixel."""
        plain, _, deep = self.mode.partition(";")
        dtype, count = MODES[plain]
        return np.dtype(np.uint16 if deep else dtype), count

    @property
    def shape(self) -> Ints:
        """Of one frame as it is decoded."""
        count = self.samples[1]
        return (self.height, self.width) if count == 1 else (self.height, self.width, count)

    @property
    def is_rgb(self) -> bool:
        return self.mode.startswith("RGB")

    @property
    def channels(self) -> tuple[Channel, ...]:
        names = CHANNELS.get(self.mode.partition(";")[0], ("",) * self.samples[1])
        return tuple(Channel(name=name) for name in names)


def described(picture: Picture) -> tuple[str, str | None, dict[str, Any]]:
    """Description, date of acquisition and the rest of what a picture says; what cannot be read is left out."""
    extra = {key: value for key, value in picture.extra.items() if value not in (None, [], "", ())}
    description, acquired, more = told_by_exif(picture.exif)
    own = extra.pop("description", "") if not description else ""
    return description or str(own).strip("\0 "), acquired, {**extra, **more}


def told_by_exif(exif: bytes) -> tuple[str, str | None, dict[str, Any]]:
    """Description, date of acquisition, and an orientation other than the usual one."""
    tags = _tags(exif)
    turned = isinstance(tags.get(ORIENTATION), int) and tags[ORIENTATION] != 1
    extra = {"exif_orientation": tags[ORIENTATION]} if turned else {}
    description = str(tags.get(DESCRIPTION) or "").strip("\0 ")
    return description, _iso(tags.get(TAKEN) or tags.get(DATE_TIME)), extra


def _tags(exif: bytes) -> dict[int, Any]:
    """The tags of EXIF data (CIPA DC-008) that matter here, none where they are broken."""
    from PIL import Image

    tags: dict[int, Any] = {}
    if exif:
        for read in (_first_folder, _exif_folder):
            parsed = Image.Exif()
            try:
                parsed.load(exif)
                tags.update(read(parsed))
            except (SyntaxError, ValueError, TypeError, KeyError, IndexError, OSError, EOFError, struct.error):
                continue
    return tags


def _first_folder(parsed: Any) -> dict[int, Any]:
    return {tag: parsed[tag] for tag in (ORIENTATION, DESCRIPTION, DATE_TIME) if tag in parsed}


def _exif_folder(parsed: Any) -> dict[int, Any]:
    return {tag: value for tag, value in parsed.get_ifd(EXIF_FOLDER).items() if tag == TAKEN}


def _iso(text: Any) -> str | None:
    """``2001:02:03 04:05:06`` in ISO 8601."""
    from datetime import datetime

    try:
        return datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007
    except ValueError:
        return None


def from_pillow(image: Any, title: str, decode: Decode, **more: Any) -> Picture:
    """The header of a picture that Pillow has opened."""
    info = image.info
    extra = {
        "mode": image.mode,
        "palette": _palette(image),
        "transparency": _transparency(info.get("transparency")),
        "dpi": _numbers(info.get("dpi")),
        "icc_profile": True if info.get("icc_profile") else None,
        "description": _comment(info),
    }
    exif = info.get("exif")
    return Picture(
        format=title,
        width=image.size[0],
        height=image.size[1],
        mode=image.mode,
        decode=decode,
        exif=exif if isinstance(exif, bytes) else b"",
        icc=profile(info.get("icc_profile")),
        extra={**extra, **more.pop("extra", {})},
        **more,
    )


def profile(data: object) -> bytes | None:
    """The data of a colour profile, None where there are none or too many."""
    return data if isinstance(data, bytes) and 0 < len(data) <= LARGEST_PROFILE else None


def _palette(image: Any) -> list[str]:
    """The colours of the indices as rrggbb."""
    palette = image.palette
    if image.mode not in ("P", "PA") or palette is None:
        return []
    order = palette.rawmode or palette.mode
    data = bytes(palette.palette)
    places = [order.find(colour) for colour in "RGB"]
    if -1 in places:
        return []
    return [bytes(data[k + place] for place in places).hex() for k in range(0, len(data) - len(order) + 1, len(order))]


def _transparency(value: Any) -> Any:
    if isinstance(value, bytes):
        return list(value)
    return list(value) if isinstance(value, tuple) else value


def _numbers(value: Any) -> list[float] | None:
    try:
        numbers = [float(number) for number in value]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return numbers if all(map(isfinite, numbers)) else None


def _comment(info: Mapping[str, Any]) -> str:
    text = info.get("Description") or info.get("comment") or ""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
