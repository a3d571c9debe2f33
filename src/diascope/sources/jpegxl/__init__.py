"""JPEG XL (ISO/IEC 18181, https://jpeg.org/jpegxl/).

An orientation is told under ``metadata.extra`` and not applied, as with JPEG.
"""

from __future__ import annotations

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.sources.dataset import Dataset
from diascope.sources.jpegxl.header import CODESTREAM, CONTAINER, OPACITY, JxlHeader, jxl_header
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.coded_picture import CodedPicture, picture_image
from diascope.sources.reading.pictures.decoded import check_size
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".jxl",)

TYPES = {8: np.uint8, 16: np.uint16}
FLOATS = {16: np.float16, 32: np.float32}


def matches(head: Head) -> bool:
    bare = head.name.endswith(SUFFIXES) and head.first.startswith(CODESTREAM)
    return bare or head.first.startswith(CONTAINER)


def opened(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    name = stem(path, SUFFIXES)
    image = picture_image(_picture(blob, jxl_header(blob)), name)
    return Dataset(version=blob.stat.version, images={name: image}, files=(path,))


def _picture(blob: Blob, found: JxlHeader) -> CodedPicture:
    samples = found.colours + len(found.extra)
    check_size((found.height, found.width, samples))
    names: tuple[str, ...] = ()
    is_colour = found.colours == 3 and found.extra in ((), (OPACITY,))
    if found.extra and not is_colour:
        colours = ("lightness",) if found.colours == 1 else ("red", "green", "blue")
        others = (
            name or ("opacity" if kind == OPACITY else "") for kind, name in zip(found.extra, found.names, strict=True)
        )
        names = (*colours, *others)
    return CodedPicture(
        format="JPEG XL",
        width=found.width,
        height=found.height,
        samples=samples,
        dtype=_dtype(found),
        decode=lambda frame: _decoded(blob, frame if found.moves else None),
        frames=_count(blob, found) if found.moves else 1,
        is_colour=is_colour,
        names=names,
        exif=found.exif,
        orientation=found.orientation,
        extra={"bits": found.bits},
    )


def _dtype(found: JxlHeader) -> np.dtype[np.generic]:
    """As libjxl gives samples of so many bits."""
    if found.exponent:
        return np.dtype(FLOATS[16] if found.bits <= 16 else FLOATS[32])
    bits = next((bits for bits in TYPES if found.bits <= bits), None)
    if bits is None:
        raise Unreadable(f"integers of {found.bits} bits are not supported")
    return np.dtype(TYPES[bits])


def _decoded(blob: Blob, frame: int | None) -> Pixels:
    import imagecodecs

    data = blob.read(0, blob.stat.size)
    return np.asarray(imagecodecs.jpegxl_decode(data, index=frame, keeporientation=True))


def _count(blob: Blob, found: JxlHeader) -> int:
    """How many frames an animation has, which only decoding tells."""
    rank = 2 + (found.colours + len(found.extra) > 1)
    frames = _decoded(blob, None)
    return len(frames) if frames.ndim > rank else 1


source = Source(
    name="jpegxl",
    title="JPEG XL",
    suffixes=SUFFIXES,
    matches=matches,
    open=opened,
    library="libjxl",
    modules=("imagecodecs",),
    supports="integers up to 16 bits, floats, opacity and other channels, animations",
    is_isolated=True,  # the frames of an animation are counted by decoding them, and nothing tells before how many
)
