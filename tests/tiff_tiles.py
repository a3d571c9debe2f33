"""TIFF files of tiles and strips that are coded in many ways."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import PIL.Image
import tifffile
from numpy.typing import NDArray

from diascope.image.level import Level
from diascope.image.stored import Stored
from diascope.sources.reading.pictures.declared import JPEG
from diascope.sources.reading.pictures.jpeg_stream import TABLES, segments

PHOTOMETRIC, JPEG_TABLES = 262, 347
RGB: dict[str, Any] = {"colorspace": "RGB", "outcolorspace": "RGB"}
"""Options of the encoder by which components are the colours themselves; it tells so by an Adobe marker."""


def decoded(data: bytes) -> NDArray[np.uint8]:
    """What a plain decoder shows of a picture."""
    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "zlib": zlib.decompress,
    "zstd": lambda data: bytes(imagecodecs.zstd_decode(data)),
    "jpeg": lambda data: decoded(data).tobytes(),
}
"""By the names of codecs in ``Stored``."""


def smooth(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    """Pixels that JPEG keeps well, as (y, x, c) or (y, x)."""
    noise = np.random.default_rng(height * width).integers(0, 256, (height // 8 + 2, width // 8 + 2, channels))
    plane = cv2.resize(noise.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    return plane.reshape(height, width, channels)[..., : None if channels > 1 else 1].squeeze()


def halves(plane: NDArray[Any], least: int = 256) -> list[NDArray[Any]]:
    """The picture and every second pixel of it, and so on."""
    planes = [plane]
    while max(planes[-1].shape[:2]) > least:
        planes.append(np.ascontiguousarray(planes[-1][::2, ::2]))
    return planes


def tiles(plane: NDArray[Any], side: int) -> Iterator[NDArray[Any]]:
    """Row by row, the last ones filled up with their edge: padding that is not black is seen where it should not be."""
    high, wide = (-size % side for size in plane.shape[:2])
    full = np.pad(plane, [(0, high), (0, wide), *[(0, 0)] * (plane.ndim - 2)], constant_values=200)
    for y in range(0, full.shape[0], side):
        for x in range(0, full.shape[1], side):
            yield np.ascontiguousarray(full[y : y + side, x : x + side])


def without_tables(data: bytes) -> tuple[bytes, bytes]:
    """The tables of a stream as a stream of their own, and the stream without them."""
    parts = segments(data)
    assert parts is not None
    tables = [part.data for part in parts if part.marker in TABLES]
    others = [part.data for part in parts if part.marker not in TABLES]
    rest = data[len(JPEG) + sum(len(part.data) for part in parts) :]
    return JPEG + b"".join(tables) + b"\xff\xd9", JPEG + b"".join(others) + rest


def encoded(tile: NDArray[Any], **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(tile, level=90, **options))


def jpeg_tiff(  # noqa: PLR0913  # all that a tile may differ by
    path: Path,
    planes: list[NDArray[Any]],
    photometric: str,
    side: int = 256,
    *,
    shared: bool = True,
    change: Callable[[bytes], bytes] = bytes,
    **options: Any,
) -> Path:
    """A pyramid of JPEG tiles, each changed, whose tables stand in a tag if they are shared."""
    with tifffile.TiffWriter(path) as out:
        for k, plane in enumerate(planes):
            streams = [change(encoded(tile, **options)) for tile in tiles(plane, side)]
            tables = without_tables(streams[0])[0]
            tags = [(JPEG_TABLES, 7, len(tables), tables, True)] if shared else []
            out.write(
                iter([without_tables(stream)[1] for stream in streams] if shared else streams),
                shape=plane.shape,
                dtype=plane.dtype,
                tile=(side, side),
                photometric=photometric,
                compression="jpeg",
                subfiletype=int(k > 0),
                subifds=len(planes) - 1 if k == 0 else None,
                extratags=tags,
                metadata=None,
            )
    return path


def with_photometric(path: Path, photometric: int) -> Path:
    """The file with another interpretation written over that of all of its directories."""
    with tifffile.TiffFile(path, mode="r+b") as file:
        for page in [file.pages[0], *(file.pages[0].pages or ())]:
            page.tags[PHOTOMETRIC].overwrite(photometric)
    return path


def unnamed(data: bytes) -> bytes:
    """The stream of three components with nothing in it that tells of their colours: no markers, only numbers."""
    parts = segments(data)
    assert parts is not None
    out = [JPEG]
    for part in parts:
        head = bytearray(part.data)
        if part.marker == 0xC0:
            head[10::3] = b"\1\2\3"
        elif part.marker == 0xDA:
            head[5:11:2] = b"\1\2\3"
        out += [] if 0xE0 <= part.marker <= 0xEF else [bytes(head)]
    return b"".join(out) + data[len(JPEG) + sum(len(part.data) for part in parts) :]


def stored_of(level: Level) -> Stored:
    """What a level that has some tells of its chunks."""
    assert level.stored is not None
    return level.stored
