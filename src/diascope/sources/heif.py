"""HEIF and HEIC: pictures coded as HEVC (ISO/IEC 23008-12), each of a file an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.optional import library
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.blob_file import buffered
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.coded_picture import CodedPicture, picture_image
from diascope.sources.reading.pictures.isobmff import header
from diascope.sources.reading.pictures.picture_header import profile
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".heif", ".heic", ".hif", ".heics")
BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
MOST_IMAGES = 1000


def matches(head: Head) -> bool:
    brands = [head.first[at : at + 4] for at in range(16, min(int.from_bytes(head.first[:4], "big"), 256), 4)]
    return head.first[4:8] == b"ftyp" and head.first[8:12] in BRANDS and b"avif" not in brands


def opened(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    header(blob)  # which bounds what the metadata may say
    name = stem(path, SUFFIXES)
    count = len(_file(blob))
    if not 0 < count <= MOST_IMAGES:
        raise Unreadable(f"{count} pictures in one file are not read")
    names = [name] if count == 1 else [f"{name} {k + 1}" for k in range(count)]
    images = Lazily(names, lambda each: _image(blob, names.index(each), each))
    return Dataset(version=blob.stat.version, images=images, files=(path,))


def _file(blob: Blob) -> Any:
    pillow_heif = library("pillow_heif", "heif")
    with buffered(blob) as file:
        return pillow_heif.open_heif(file, convert_hdr_to_8bit=False)


def _image(blob: Blob, number: int, name: str) -> Image:
    found = _file(blob)[number]
    mode, _, deep = found.mode.partition(";")
    if mode not in MODES:
        raise Unreadable(f"pictures of the mode {found.mode} are not supported")
    exif = found.info.get("exif")
    picture = CodedPicture(
        format="HEIF",
        width=found.size[0],
        height=found.size[1],
        samples=MODES[mode],
        dtype=np.dtype(np.uint16 if deep else np.uint8),
        decode=lambda _: _pixels(blob, number),
        names=("lightness", "opacity") if mode == "LA" else (),
        exif=exif if isinstance(exif, bytes) else b"",
        orientation=int(found.info.get("original_orientation") or 1),
        icc=profile(found.info.get("icc_profile")),
        extra={"bits": int(found.info.get("bit_depth", 8))},
    )
    return picture_image(picture, name)


def _pixels(blob: Blob, number: int) -> Pixels:
    pixels = np.asarray(_file(blob)[number])
    return pixels[..., 0] if pixels.shape[2:] == (1,) else pixels


source = Source(
    name="heif",
    title="HEIF, HEIC",
    suffixes=SUFFIXES,
    matches=matches,
    open=opened,
    library="libheif",
    modules=("pillow_heif",),
    extra="heif",
    supports="8 to 12 bits, opacity, several pictures",
    is_isolated=True,  # what it needs while it decodes is bounded by nothing that is told before
)
