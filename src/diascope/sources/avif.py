"""AVIF: pictures and sequences of pictures coded as AV1 (https://aomediacodec.github.io/av1-avif/).

Orientations are told under ``metadata.extra`` and not applied, as with JPEG.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.sources.dataset import Dataset
from diascope.sources.reading.blob_file import buffered
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.coded_picture import CodedPicture, picture_image
from diascope.sources.reading.pictures.decoded import Decode
from diascope.sources.reading.pictures.frames import Frames
from diascope.sources.reading.pictures.isobmff import Header, header
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".avif", ".avifs")
BRANDS = (b"avif", b"avis")


def matches(head: Head) -> bool:
    return head.first[4:8] == b"ftyp" and head.first[8:12] in BRANDS


def opened(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    found = header(blob)
    name = stem(path, SUFFIXES)
    return Dataset(version=blob.stat.version, images={name: picture_image(_picture(blob, found), name)}, files=(path,))


def _picture(blob: Blob, found: Header) -> CodedPicture:
    moves = found.frames > 1
    if moves and found.depth > 8:
        raise Unreadable(f"a sequence of pictures of {found.depth} bits is not supported")
    colours = 3 if moves or not found.is_grey else 1
    names = ("lightness", "opacity") if colours == 1 and found.has_opacity else ()
    return CodedPicture(
        format="AVIF",
        width=found.width,
        height=found.height,
        samples=colours + found.has_opacity,
        dtype=np.dtype(np.uint16 if found.depth > 8 else np.uint8),
        bits=found.depth,
        decode=_frames(blob, found) if moves else _still(blob),
        frames=found.frames,
        names=names,
        exif=found.exif,
        orientation=found.orientation,
        icc=found.icc,
        extra={"bits": found.depth},
    )


def _still(blob: Blob) -> Decode:
    def decode(_: int) -> Pixels:
        import imagecodecs

        return np.asarray(imagecodecs.avif_decode(blob.read(0, blob.stat.size)))

    return decode


def _frames(blob: Blob, found: Header) -> Decode:
    """Pillow gives a frame alone, of 8 bits; imagecodecs gives all."""

    def open() -> Any:
        from PIL.AvifImagePlugin import AvifImageFile

        return AvifImageFile(buffered(blob))

    return Frames(open, "RGBA" if found.has_opacity else "RGB").decode


source = Source(
    name="avif",
    title="AVIF",
    suffixes=SUFFIXES,
    matches=matches,
    open=opened,
    library="libavif",
    modules=("imagecodecs", "PIL"),
    is_isolated=True,  # its streams may be of other sizes than their boxes tell
    supports="8 to 12 bits, opacity; sequences of 8 bits",
)
