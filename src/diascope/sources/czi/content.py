"""What opening a CZI file gives."""

from __future__ import annotations

from struct import unpack

import numpy as np

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.metadata import Metadata
from diascope.sources.czi.directory import subblocks
from diascope.sources.czi.facts import facts
from diascope.sources.czi.mosaic import Pieces
from diascope.sources.czi.scene import scenes
from diascope.sources.czi.segments import Attachment, FileHeader, attached, attachments, file_header, xml
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.part import Part
from diascope.sources.reading.pictures.declared import declared_pixels
from diascope.sources.reading.pictures.decoded import check_size, decoded_level
from diascope.stores.store import Blob, Store

ASSOCIATED = {"Label": "label", "SlidePreview": "macro", "Thumbnail": "thumbnail"}
"""What attachments are called in the model's words."""

TIMES = "TimeStamps"
MOST_TIMES = 1 << 20


def opened(store: Store, path: str) -> Dataset:
    """Its scenes as images; the attachments that are pictures are associated."""
    blob = store.open(path)
    header = file_header(blob)
    found = attachments(blob, header)
    images = _images(blob, header, found, path)
    pictures = {
        ASSOCIATED[each.name]: each for each in found if each.name in ASSOCIATED and each.kind in {"CZI", "JPG"}
    }
    return Dataset(
        version=blob.stat.version,
        images=images,
        associated=Lazily(pictures, lambda name: _picture(blob, pictures[name], name)),
        files=(path,),
    )


def _images(blob: Blob, header: FileHeader, found: list[Attachment], path: str) -> Lazily[Image]:
    table = subblocks(blob, header.directory)
    told = facts(xml(blob, header), path, _times(blob, found))
    others = [header.directory, header.metadata, header.attachments, *(each.position for each in found)]
    bounds = np.unique(np.concatenate([table.position, np.array(others, np.int64)]))
    parts = scenes(table, Pieces(blob, bounds), told, stem(path, (".czi",)))
    return Lazily(parts, lambda name: parts[name].image())


def _times(blob: Blob, found: list[Attachment]) -> list[float]:
    """The times of the time points in seconds, none where they are not told: size:4, count:4, seconds:8 each."""
    for each in found:
        if each.name == TIMES:
            start, stop = attached(blob, each)
            data = blob.read(start, min(stop, start + 8 + 8 * MOST_TIMES))
            count = min(unpack("<i", data[4:8])[0], (len(data) - 8) // 8) if len(data) >= 16 else 0
            return [float(time) for time in np.frombuffer(data, "<f8", max(count, 0), 8)] if count > 0 else []
    return []


def _picture(blob: Blob, attachment: Attachment, name: str) -> Image:
    start, stop = attached(blob, attachment)
    if attachment.kind == "CZI":
        inner = Part(blob, start)
        return next(iter(_images(inner, file_header(inner), [], f"{name}.czi").values()))
    return _jpeg(blob, start, stop, name)


def _jpeg(blob: Blob, start: int, stop: int, name: str) -> Image:
    import imagecodecs

    data = blob.read(start, stop)
    check_size((declared_pixels(data), 3))
    pixels = np.asarray(imagecodecs.jpeg_decode(data))

    def decode(_: int) -> Pixels:
        return pixels

    return Image(
        name=name,
        kind="rgb" if pixels.ndim > 2 else "intensity",
        axes=axes_named("cyx" if pixels.ndim > 2 else "yx"),
        levels=(decoded_level(pixels.shape, pixels.dtype, decode),),
        metadata=Metadata(format="JPEG"),
    )
