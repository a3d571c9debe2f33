"""The header of an NRRD file whose pixels are those of an image's finest level.

https://teem.sourceforge.net/nrrd/format.html: section 4 the magic, 5 and 6 the fields, 7 the place in space.

Positions are those of pixels' centres, in millimetres. With a world they lead there, into the space
right-anterior-superior; without one they are the image's own, in a space without a name. A flat image is a volume of
one plane, since many tools open nothing flatter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from diascope.image.image import Image
from diascope.image.units import METRES, SECONDS, ratio
from diascope.layouts.placement import pixel_affine

TYPES = {
    "int8": "int8", "uint8": "uint8", "int16": "int16", "uint16": "uint16", "int32": "int32", "uint32": "uint32",
    "int64": "int64", "uint64": "uint64", "float32": "float", "float64": "double",
}  # fmt: skip
"""The names of types by those of numpy."""

STORED_AS = {"bool": "uint8", "float16": "float32"}

KINDS = {"x": "domain", "y": "domain", "z": "domain", "c": "list", "t": "time"}
COLOURS = {3: "RGB-color", 4: "RGBA-color"}

UNKNOWN = "nan"


def stored_type(image: Image) -> np.dtype[Any]:
    """The type of the samples, little endian."""
    return np.dtype(STORED_AS.get(image.dtype.name, image.dtype)).newbyteorder("<")


def axis_order(image: Image) -> str:
    """The axes of the file, fastest first."""
    others = [name for name in "ct" if name in image.axis_names]
    return "cxyz" + "".join(others[1:]) if image.kind == "rgb" else "xyz" + "".join(others)


def header(image: Image) -> bytes:
    """The bytes before the pixels."""
    text = "".join(f"{line}\n" for line in ("NRRD0005", *_fields(image), *_notes(image), ""))
    return text.encode("ascii", "replace")


def _fields(image: Image) -> Iterator[str]:
    order = axis_order(image)
    affine = pixel_affine(image)
    columns = {name: _vector(affine[:3, k]) for k, name in enumerate("xyz")}
    kinds = KINDS | ({"c": COLOURS[image.size("c")]} if image.kind == "rgb" else {})
    yield f"type: {TYPES[stored_type(image).name]}"
    yield f"dimension: {len(order)}"
    yield "space: right-anterior-superior" if image.world else "space dimension: 3"
    yield f"sizes: {_joined(str(image.size(name)) for name in order)}"
    if "t" in order:
        yield from _times(image, order)
    yield f"space directions: {_joined(columns.get(name, 'none') for name in order)}"
    yield f"kinds: {_joined(kinds[name] for name in order)}"
    yield f"labels: {_joined(_quoted(name) for name in order)}"
    if stored_type(image).itemsize > 1:
        yield "endian: little"
    yield "encoding: raw"
    if image.world or image.axes[-1].unit in METRES:
        yield 'space units: "mm" "mm" "mm"'
    yield f"space origin: {_vector(affine[:3, 3])}"


def _times(image: Image, order: str) -> Iterator[str]:
    """When the first moment is, and how far the next is from it."""
    level, at = image.levels[0], image.axis_names.index("t")
    unit = image.axes[at].unit
    seconds = unit in SECONDS
    factor = ratio(unit or "", "second") if seconds else 1.0
    values = {"spacings": level.scale[at] * factor, "axis mins": level.translation[at] * factor}
    for field, value in values.items():
        yield f"{field}: {_joined(_number(value) if name == 't' else UNKNOWN for name in order)}"
    if seconds:
        yield f"units: {_joined(_quoted('s' if name == 't' else '') for name in order)}"


def _notes(image: Image) -> Iterator[str]:
    """What has no field of its own, as keys and values."""
    if description := _one_line(image.metadata.description):
        yield f"description:={description}"
    if image.metadata.rescale:
        slope, intercept = image.metadata.rescale
        yield f"rescale slope:={_number(slope)}"
        yield f"rescale intercept:={_number(intercept)}"
    for k, channel in enumerate(image.channels):
        if name := _one_line(channel.name):
            yield f"channel {k}:={name}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\")


def _vector(values: Iterable[float]) -> str:
    return f"({','.join(map(_number, values))})"


def _number(value: float) -> str:
    return repr(float(value))


def _quoted(text: str) -> str:
    return f'"{text}"'


def _joined(words: Iterable[str]) -> str:
    return " ".join(words)
