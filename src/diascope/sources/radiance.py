"""Radiance HDR pictures: three floats a pixel, which share an exponent.

https://radsite.lbl.gov/radiance/refer/filefmts.pdf, "Picture File Format (.hdr suffix)" ::

    #?RADIANCE
    FORMAT=32-bit_rle_rgbe        lines of text, and an empty one

    -Y 480 +X 640                 rows from the top, columns from the left
    …                             the pixels, perhaps in runs
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.sources.dataset import Dataset
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.coded_picture import CodedPicture, picture_image
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".hdr", ".pic", ".rgbe")
MAGICS = (b"#?RADIANCE\n", b"#?RGBE\n")
LONGEST_HEADER = 1 << 16
SIZE = re.compile(rb"-Y (\d{1,9}) \+X (\d{1,9})\n")
MOST_PIXELS = 127
"""No byte of a run makes more."""


def matches(head: Head) -> bool:
    return head.first.startswith(MAGICS)


def opened(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    name = stem(path, SUFFIXES)
    return Dataset(version=blob.stat.version, images={name: picture_image(_picture(blob), name)}, files=(path,))


def _picture(blob: Blob) -> CodedPicture:
    lines, empty, rest = blob.read(0, LONGEST_HEADER).partition(b"\n\n")
    size = SIZE.match(rest)
    if not empty or size is None:
        raise Unreadable("its header is cut off, or its rows do not go from the top down and from left to right")
    told = dict(_told(line) for line in lines.splitlines() if b"=" in line)
    if told.get("FORMAT", "32-bit_rle_rgbe") != "32-bit_rle_rgbe":
        raise Unreadable(f"pixels of the format {told['FORMAT'][:40]!r} are not supported")
    height, width = int(size[1]), int(size[2])
    if height * width > blob.stat.size * MOST_PIXELS:
        raise Unreadable(f"{blob.stat.size} bytes cannot hold {width} by {height} pixels")
    return CodedPicture(
        format="Radiance HDR",
        width=width,
        height=height,
        samples=3,
        dtype=np.dtype(np.float32),
        decode=lambda _: _decoded(blob),
        extra={key: value for key, value in told.items() if value.isprintable()},
    )


def _told(line: bytes) -> tuple[str, str]:
    key, _, value = line.decode("latin-1").partition("=")
    return key.strip(), value.strip()


def _decoded(blob: Blob) -> Pixels:
    import imagecodecs

    pixels: Any = imagecodecs.rgbe_decode(blob.read(0, blob.stat.size))
    return np.asarray(pixels)


source = Source(
    name="radiance",
    title="Radiance HDR",
    suffixes=(".hdr", ".rgbe"),
    matches=matches,
    open=opened,
    library="imagecodecs",
    modules=("imagecodecs",),
    supports="RGB as 32-bit floats, rows from the top; no XYZ",
)
