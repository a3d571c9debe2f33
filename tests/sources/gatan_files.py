"""Tiny DM3 and DM4 files, whose tags are written as http://www.er-c.org/cbb/info/dmformat/ draws them."""

from __future__ import annotations

from pathlib import Path
from struct import pack
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

DATA_TYPES = {
    "i2": 1, "f4": 2, "c8": 3, "u1": 6, "i4": 7, "i1": 9, "u2": 10, "u4": 11, "f8": 12, "c16": 13, "i8": 39, "u8": 40,
}  # fmt: skip
TAG_TYPES = {"i2": 2, "i4": 3, "u2": 4, "u4": 5, "f4": 6, "f8": 7, "i1": 9, "u1": 10, "i8": 11, "u8": 12}
RGBA = 23


class Dim(NamedTuple):
    """The calibration of an axis."""

    scale: float = 1.0
    origin: float = 0.0
    units: str = ""


class Writer:
    """Tags of a version and a byte order of data."""

    def __init__(self, version: int, *, little: bool) -> None:
        self.version = version
        self.order = "<" if little else ">"
        self.little = little

    def count(self, number: int) -> bytes:
        return pack(">i" if self.version == 3 else ">q", number)

    def group(self, tags: Any) -> bytes:
        """A dictionary, or a list whose tags have no names."""
        items = tags.items() if isinstance(tags, dict) else [("", each) for each in tags]
        parts = [self.tag(name, value) for name, value in items]
        return b"\1\0" + self.count(len(parts)) + b"".join(parts)

    def tag(self, name: str, value: Any) -> bytes:
        nested = isinstance(value, dict | list)
        body = self.group(value) if nested else self.data(value)
        head = pack(">BH", 20 if nested else 21, len(name.encode("latin-1"))) + name.encode("latin-1")
        return head + (self.count(len(body)) if self.version == 4 else b"") + body

    def data(self, value: Any) -> bytes:
        infos, body = self.value(value)
        return b"%%%%" + self.count(len(infos)) + b"".join(map(self.count, infos)) + body

    def value(self, value: Any) -> tuple[list[int], bytes]:
        if isinstance(value, str):
            encoded = value.encode("utf-16-le" if self.little else "utf-16-be")
            return [20, 4, len(encoded) // 2], encoded
        if isinstance(value, float):
            return [7], pack(self.order + "d", value)
        if isinstance(value, tuple):
            return [15, 0, len(value), *(n for _ in value for n in (0, 3))], pack(f"{self.order}{len(value)}i", *value)
        if isinstance(value, np.ndarray):
            return self.array(value)
        return [5], pack(self.order + "I", value)

    def array(self, value: NDArray[Any]) -> tuple[list[int], bytes]:
        code = value.dtype.str[1:]
        body = value.astype(self.order + code).tobytes()
        if value.dtype.kind == "c":
            return [20, 15, 0, 2, 0, {"c8": 6, "c16": 7}[code], 0, {"c8": 6, "c16": 7}[code], value.size], body
        return [20, TAG_TYPES[code], value.size], body

    def file(self, tags: dict[str, Any]) -> bytes:
        body = self.group(tags)
        return pack(">i", self.version) + self.count(len(body)) + pack(">i", self.little) + body + bytes(8)


def picture(  # noqa: PLR0913
    pixels: NDArray[Any],
    dims: tuple[Dim, ...] = (),
    *,
    kind: int | None = None,
    name: str = "made",
    sizes: tuple[int, ...] | None = None,
    brightness: Dim | None = None,
    tags: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The tags of one image; ``dims`` fastest first."""
    shape = sizes if sizes is not None else pixels.shape[::-1]
    given = [*dims, *[Dim()] * (len(shape) - len(dims))]

    def calibration(dim: Dim) -> dict[str, Any]:
        return {"Origin": float(dim.origin), "Scale": float(dim.scale), "Units": dim.units}

    data = {
        "Calibrations": {
            "Brightness": calibration(brightness or Dim()),
            "Dimension": [calibration(dim) for dim in given],
        },
        "Data": pixels.ravel(),
        "DataType": DATA_TYPES[pixels.dtype.str[1:]] if kind is None else kind,
        "Dimensions": list(shape),
        "PixelDepth": pixels.itemsize,
    }
    return {"ImageData": data, "ImageTags": tags or {}, "Name": name, "UniqueID": {"0": 1, "1": 2, "2": 3, "3": 4}}


def colours(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Rows, columns and red, green, blue as Gatan packs them."""
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    return np.asarray(red << 16 | green << 8 | blue, np.uint32)


def dm(*pictures: dict[str, Any], version: int = 3, little: bool = True, thumbnail: bool = True) -> bytes:
    """A file of images behind the thumbnail that Gatan's program writes first."""
    small = picture(colours(np.full((4, 6, 3), 7, np.uint8)), kind=RGBA, name="thumbnail")
    listed = [small, *pictures] if thumbnail else list(pictures)
    shown = {"ImageSource": 0, "ImageDisplayInfo": {"LowLimit": 2.0, "HighLimit": 50.0}}
    return Writer(version, little=little).file(
        {
            "ApplicationBounds": (0, 0, 600, 800),
            "DocumentObjectList": [shown],
            "ImageList": listed,
            "ImageSourceList": [{"ClassName": "ImageSource:Simple", "Id": [0], "ImageRef": 1}],
            "InImageMode": 1,
            **({"Thumbnails": [{"ImageIndex": 0, "SourceSize_Pixels": (64, 64)}]} if thumbnail else {}),
        }
    )


def volume(dtype: str = "i2") -> NDArray[Any]:
    return np.random.default_rng(3).integers(0, 100, (5, 17, 23)).astype(dtype)


NANOMETRES = (Dim(0.5, 3.0, "nm"), Dim(0.25, -2.0, "nm"))


def dm3(path: Path) -> None:
    path.write_bytes(dm(picture(volume()[0], NANOMETRES)))


def dm3_big(path: Path) -> None:
    path.write_bytes(dm(picture(volume("f4"), NANOMETRES), little=False))


def dm4(path: Path) -> None:
    path.write_bytes(dm(picture(volume("u2"), (*NANOMETRES, Dim(2.0, -100.0, "eV"))), version=4))


def dm4_colours(path: Path) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    path.write_bytes(dm(picture(colours(pixels), kind=RGBA), version=4))


def dm3_two(path: Path) -> None:
    path.write_bytes(dm(picture(volume()[0], name="a/b"), picture(volume("f8")[1], name="a/b")))
