"""FITS images, each unit of a file that has pixels being an image (https://fits.gsfc.nasa.gov/fits_standard.html).

Rows lie as they are stored, the first one of an astronomer's picture being its lowest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Region
from diascope.sources.dataset import Dataset
from diascope.sources.fits.header import Unit, units
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.plain.row_major import RowMajor, plane_chunk_shape
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".fits", ".fit", ".fts")
START = b"SIMPLE  =                    T"

TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
UNSIGNED = {("i1", -128.0), ("i2", 32768.0), ("i4", 2147483648.0), ("i8", 9223372036854775808.0)}
"""Types whose integers are stored less their half (clause 5.2.5)."""

LETTERS = {"TIME": "t", "STOKES": "c", "RGB": "c", "FREQ": "c", "WAVE": "c", "VELO": "c", "COLOR": "c"}
SPARE = "zct"
"""What further axes are of which nothing is told."""


def matches(head: Head) -> bool:
    return head.first.startswith(START)


def opened(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    name = stem(path, SUFFIXES)
    images = dict(_images(blob, name))
    if not images:
        raise Unreadable("it holds no image of two axes or more; compressed images in tables are not read")
    return Dataset(version=blob.stat.version, images=images, files=(path,))


def _images(blob: Blob, name: str) -> Iterator[tuple[str, Image]]:
    found = [(k, unit) for k, unit in enumerate(units(blob.read, blob.stat.size)) if _is_image(unit)]
    used: set[str] = set()
    for k, unit in found:
        own = "".join(letter for letter in unit.text("EXTNAME") if letter.isprintable() and letter != "/").strip(" .")
        each = name if len(found) == 1 else own or (f"{name} {k}" if k else name)
        while each in used:
            each = f"{each} {k}"
        used.add(each)
        yield each, _image(blob, unit, each)


def _is_image(unit: Unit) -> bool:
    kind = unit.text("XTENSION") or "IMAGE"
    return kind == "IMAGE" and unit.bits in TYPES and len(unit.shape) >= 2 and min(unit.shape) > 0


def _image(blob: Blob, unit: Unit, name: str) -> Image:
    shape = unit.shape
    stored = np.dtype(TYPES[unit.bits])
    slope, intercept = unit.number("BSCALE", 1.0), unit.number("BZERO", 0.0)
    dtype = _dtype(stored, slope, intercept)
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    letters = _letters(unit, len(shape))
    order = sorted(range(len(shape)), key=lambda d: "tczyx".index(letters[d]))
    array = RowMajor(blob.read, unit.start, shape, stored)
    if array.start + np.prod(shape, dtype=object) * stored.itemsize > blob.stat.size:
        raise Unreadable(f"{blob.stat.size} bytes cannot hold an image of {shape} pixels")

    def read_pixels(region: Region) -> Pixels:
        inverse = [order.index(d) for d in range(len(order))]
        box = Region(tuple(region.start[k] for k in inverse), tuple(region.stop[k] for k in inverse))
        return _shifted(array.box(box), dtype).transpose(order)

    chunk = plane_chunk_shape(shape, stored.itemsize)
    level = Level(
        shape=tuple(shape[d] for d in order),
        dtype=dtype,
        chunk_shape=tuple(chunk[d] for d in order),
        scale=(1.0,) * len(shape),
        translation=(0.0,) * len(shape),
        read_pixels=read_pixels,
    )
    scaled = (slope, intercept) != (1.0, 0.0) and dtype == stored.newbyteorder("=")
    return Image(
        name=name,
        kind="intensity",
        axes=axes_named("".join(letters[d] for d in order)),
        levels=(level,),
        metadata=_metadata(unit, (slope, intercept) if scaled else None),
    )


def _letters(unit: Unit, rank: int) -> list[str]:
    """Of each axis, slowest first; the two fastest are y and x."""
    letters = ["y", "x"]
    for number in range(3, rank + 1):
        kind = unit.text(f"CTYPE{number}").upper().partition("-")[0]
        wanted = [LETTERS.get(kind, ""), *SPARE]
        free = next((each for each in wanted if each and each not in letters), None)
        if free is None:
            raise Unreadable(f"{rank} axes are more than the five that an image has")
        letters.insert(0, free)
    return letters


def _dtype(stored: np.dtype[Any], slope: float, intercept: float) -> np.dtype[Any]:
    native = stored.newbyteorder("=")
    if slope != 1.0:
        return native
    if native == np.uint8 and intercept == -128.0:
        return np.dtype(np.int8)
    if (native.str[1:], intercept) in UNSIGNED:
        return np.dtype(f"u{native.itemsize}")
    return native


def _shifted(pixels: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Integers that are stored less their half: that is the highest bit the other way round."""
    if pixels.dtype == dtype:
        return pixels
    unsigned = np.dtype(f"u{dtype.itemsize}")
    highest = unsigned.type(1 << 8 * dtype.itemsize - 1)
    return np.asarray((pixels.view(unsigned) ^ highest).view(dtype))


def _metadata(unit: Unit, rescale: tuple[float, float] | None) -> Metadata:
    cards = {k: v for k, v in unit.cards.items() if not isinstance(v, float) or isfinite(v)}
    taken = unit.text("DATE-OBS")
    telescope = [unit.text(key) for key in ("TELESCOP", "INSTRUME")]
    return Metadata(
        format="FITS",
        description=unit.text("OBJECT"),
        acquired=taken if _is_iso(taken) else None,
        instrument=" ".join(filter(None, telescope)),
        rescale=rescale,
        extra=dict(json.loads(json.dumps(cards))),
    )


def _is_iso(text: str) -> bool:
    from datetime import datetime

    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False


source = Source(
    name="fits",
    title="FITS",
    suffixes=SUFFIXES,
    matches=matches,
    open=opened,
    supports="images of all types, in the first and further units; no tables, no compressed images in tables",
)
