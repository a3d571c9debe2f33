"""Electron microscopy datasets: EMD of Berkeley and of Velox.

https://emdatasets.com/format/: an array ``data`` in a group with ``emd_group_type`` 1, beside the vectors ``dim1``,
``dim2``, …, with the attributes ``name`` and ``units``. In files of Velox, images are ``Data/Image/{id}/Data`` with the
axes y, x and t, beside ``Metadata``, a column for each of them with the letters of a JSON object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from diascope.image.metadata import Metadata
from diascope.image.region import Region, whole
from diascope.sources.hdf5.dimension import LONGEST_SCALE, Dimension, spaced
from diascope.sources.reading.dates import since_1970
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.file import NotTaken
from diascope.sources.reading.h5.node import Group
from diascope.sources.reading.numbers import number

VELOX = re.compile(r"Data/(Image|SpectrumImage)/[^/]+")
LAST_AXIS = {"Image": "t", "SpectrumImage": "c"}

NAMES = {"energy": "c", "e": "c", "ev": "c", "q": "c"}

MICROMETRES = 1e6
"""In a metre, in which Velox counts."""


def refusal(path: str, parent: Group) -> str | None:
    """Why an array of Velox or Berkeley is no image although it has two axes."""
    if VELOX.fullmatch(parent.path) and path.rpartition("/")[2] != "Data":
        return "it tells of the image beside it"
    return None


def dimensions(array: Array, parent: Group) -> tuple[Dimension, ...]:
    """The axes of an array of either kind, none of any other."""
    if parent.attributes.number("emd_group_type") == 1:
        return _berkeley(array, parent)
    velox = VELOX.fullmatch(parent.path)
    if not velox or len(array.shape) != 3:
        return ()
    size = _part(told(parent), "BinaryResult", "PixelSize")
    unit = _part(told(parent), "BinaryResult").get("PixelUnitX")
    steps = [number(size.get(key)) for key in ("height", "width")]
    y, x = (
        Dimension(name, str(unit), step) if step and step > 0 and unit else Dimension(name)
        for name, step in zip("yx", steps, strict=True)
    )
    return (y, x, Dimension(LAST_AXIS[velox[1]]))


def told(parent: Group) -> Mapping[str, Any]:
    """What Velox says of the first frame, empty where it says nothing."""
    if not VELOX.fullmatch(parent.path):
        return {}
    try:
        letters = parent.array("Metadata")
        if letters is None or len(letters.shape) != 2 or letters.shape[0] > LONGEST_SCALE:
            return {}
        column = letters.read(Region((0, 0), (letters.shape[0], 1)))
        found = json.loads(column.astype("u1").tobytes().split(b"\0")[0])
    except (NotTaken, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def metadata(array: Array, parent: Group) -> Metadata | None:
    """What Velox or Berkeley tells of an image, None of an array of another kind."""
    if parent.attributes.number("emd_group_type") == 1:
        return Metadata(format="EMD (Berkeley)", extra={"path": array.path})
    found = told(parent)
    if not VELOX.fullmatch(parent.path):
        return None
    instrument = _part(found, "Instrument")
    position = {axis: number(_part(found, "Stage", "Position").get(axis)) for axis in "xyz"}
    start = number(_part(found, "Acquisition", "AcquisitionStartDatetime").get("DateTime"))
    words = (instrument.get(key) for key in ("Manufacturer", "InstrumentClass", "InstrumentModel"))
    return Metadata(
        format="EMD (Velox)",
        acquired=since_1970(start),
        magnification=number(_part(found, "Optics").get("NominalMagnification")),
        instrument=" ".join(dict.fromkeys(str(word) for word in words if word)),
        position={axis: value * MICROMETRES for axis, value in position.items() if value is not None},
        extra={"path": array.path, "detector": str(_part(found, "BinaryResult").get("Detector", ""))},
    )


def _berkeley(array: Array, parent: Group) -> tuple[Dimension, ...]:
    found = []
    for d, size in enumerate(array.shape):
        try:
            vector = parent.array(f"dim{d + 1}")
        except NotTaken:
            vector = None
        if vector is None or vector.shape != (size,) or size > LONGEST_SCALE:
            found.append(Dimension())
            continue
        name, unit = vector.attributes.text("name"), vector.attributes.text("units").strip("[]").replace("_", "")
        found.append(spaced(NAMES.get(name.lower(), name), vector.read(whole(vector.shape)), unit))
    return tuple(found)


def _part(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
