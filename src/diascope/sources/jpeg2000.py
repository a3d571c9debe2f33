"""JPEG 2000: JP2 files and bare codestreams (ISO/IEC 15444-1, https://www.itu.int/rec/T-REC-T.800).

The resolutions that the wavelets hold are levels. Their samples lie at the even ones of the finer resolution (Annex F),
so that a level's first pixel lies where the finest's does.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel, Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.codestream import SIGNATURE, START, Jp2, check_whole, jp2
from diascope.sources.reading.pictures.decoded import Decode, decoded_level
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf", ".jph", ".jhc")

SYCC = 18
COLOURS = (3, 4)
PILLOW_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SMALLEST = 128
"""No level is made of a resolution with fewer rows and columns than this."""


def _matches(head: Head) -> bool:
    # The first ND2 files were of this kind as well, with many images that it does not know of.
    return head.first.startswith((SIGNATURE, START)) and not head.name.endswith(".nd2")


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    found = jp2(blob)
    name = stem(path, SUFFIXES)
    return Dataset(version=blob.stat.version, images={name: _image(blob, found, name)}, files=(path,))


def _image(blob: Blob, found: Jp2, name: str) -> Image:
    dtype, samples = _dtype(found), _samples(found)
    rgb = samples in COLOURS and found.colour_space != SYCC and dtype.kind == "u"
    first = found.codestream.components[0]
    return Image(
        name=name,
        kind="rgb" if rgb else "intensity",
        axes=axes_named("cyx" if samples > 1 else "yx"),
        levels=tuple(_levels(blob, found, dtype, samples)),
        channels=(Channel(window=_window(found, dtype)),) * samples,
        metadata=Metadata(
            format="JPEG 2000",
            icc=found.icc,
            extra={"precision": first.precision, "colour_space": found.colour_space, "boxes": list(found.boxes)},
        ),
    )


def _dtype(found: Jp2) -> np.dtype[Any]:
    """The smallest type that holds the components; raises Unreadable where they are unlike one another."""
    components = found.codestream.components
    if any((each.across, each.down) != (components[0].across, components[0].down) for each in components):
        raise Unreadable("components that are sampled differently are not supported")
    precision = max(each.precision for each in components)
    bits = next((bits for bits in (8, 16, 32) if precision <= bits), None)
    if bits is None or len({each.signed for each in components}) > 1:
        raise Unreadable(f"components of {precision} bits or of mixed signs are not supported")
    return np.dtype(f"{'int' if components[0].signed else 'uint'}{bits}")


def _window(found: Jp2, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """From black to white, where the components do not use all bits of their type."""
    precision = max(each.precision for each in found.codestream.components)
    is_partly = dtype.kind == "u" and precision < 8 * dtype.itemsize and not found.palette_columns
    return (0.0, float((1 << precision) - 1)) if is_partly else None


def _samples(found: Jp2) -> int:
    return found.palette_columns or len(found.codestream.components)


def _levels(blob: Blob, found: Jp2, dtype: np.dtype[Any], samples: int) -> list[Level]:
    def decode(_: int) -> Pixels:
        import imagecodecs

        data = blob.read(0, blob.stat.size)
        check_whole(data, found.codestream.at)
        return np.asarray(imagecodecs.jpeg2k_decode(data))

    levels = [decoded_level(_shape(found, 0, samples), dtype, decode)]
    for halvings in range(1, _resolutions(found, dtype, samples)):
        shape = _shape(found, halvings, samples)
        levels.append(decoded_level(shape, dtype, _reduced(blob, found, halvings), scale=float(1 << halvings)))
    return levels


def _shape(found: Jp2, halvings: int, samples: int) -> tuple[int, ...]:
    width, height = found.codestream.size(halvings)
    return (height, width) if samples == 1 else (height, width, samples)


def _resolutions(found: Jp2, dtype: np.dtype[Any], samples: int) -> int:
    """How many can be decoded by themselves: Pillow does it for 8 bits where it rounds sizes as the standard does."""
    stream = found.codestream
    plain = dtype == np.uint8 and samples in PILLOW_MODES and not found.palette_columns
    exact = all(each.precision == 8 and each.across == each.down == 1 for each in stream.components)
    if not (plain and exact) or found.colour_space == SYCC or stream.start != (0, 0):
        return 1
    halvings = 0
    while halvings < stream.decompositions and max(stream.size(halvings)) > SMALLEST:
        power = 1 << (halvings + 1)
        if stream.size(halvings + 1) != tuple((size + power // 2) // power for size in stream.stop):
            break
        halvings += 1
    return halvings + 1


def _reduced(blob: Blob, found: Jp2, halvings: int) -> Decode:
    def decode(_: int) -> Pixels:
        from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

        data = blob.read(0, blob.stat.size)
        check_whole(data, found.codestream.at)
        image: Any = Jpeg2KImageFile(BytesIO(data))
        image.reduce = halvings
        image.load()
        return np.asarray(image)

    return decode


source = Source(
    name="jpeg2000",
    title="JPEG 2000",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    library="imagecodecs (OpenJPEG), Pillow",
    modules=("imagecodecs", "PIL"),
    supports="1 to 32 bits, colours and palettes; its resolutions as levels",
)
