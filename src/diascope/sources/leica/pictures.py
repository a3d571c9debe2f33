"""The memory of an XLIF whose planes are pictures in files of their own."""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from diascope.bounded import Part, reader_cache
from diascope.errors import Changed, Unreadable
from diascope.image.level import Pixels
from diascope.sources.reading.blob_file import buffered
from diascope.sources.reading.pictures.tiff_compressions import BOUNDED, check_compression
from diascope.stores.store import Blob, Store

LARGEST = 1 << 30
"""A picture of more bytes is refused before it is decoded."""

_decoded: Part[bytes] = Part(reader_cache, weigh=len)
"""The pictures decoded last, as the bytes of the memory."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A file whose pixels are a part of the memory."""

    path: str
    start: int
    """Where in the memory they are."""
    size: int
    version: str
    """Of the file, when it was named."""

    def opened(self, store: Store) -> Blob:
        """Raises Changed where it is another file by now."""
        blob = store.open(self.path)
        if blob.stat.version != self.version:
            raise Changed(f"{self.path} was written to since it was opened")
        return blob


class Pictures:
    """The memory as if it lay in one piece; many threads may read."""

    def __init__(self, store: Store, frames: list[Frame]) -> None:
        self._store = store
        self._frames = sorted(frames, key=lambda frame: frame.start)
        self._starts = [frame.start for frame in self._frames]
        self._identity = object()

    def read(self, start: int, stop: int) -> bytes:
        parts = []
        while start < stop:
            k = bisect_right(self._starts, start) - 1
            frame = self._frames[k] if k >= 0 else None
            if frame is None or start >= frame.start + frame.size:
                raise Unreadable(f"no picture has the pixels at byte {start}")
            data = _decoded.get((self._identity, k), lambda frame=frame: self._bytes(frame))  # type: ignore[misc]
            parts.append(data[start - frame.start : stop - frame.start])
            start += len(parts[-1])
        return b"".join(parts)

    def _bytes(self, frame: Frame) -> bytes:
        data = _pixels(frame.opened(self._store), frame).tobytes()
        if len(data) != frame.size:
            raise Unreadable(f"{frame.path} has {len(data)} bytes of pixels, not {frame.size}")
        return data


def _pixels(blob: Blob, frame: Frame) -> Pixels:
    if frame.size > LARGEST:
        raise Unreadable(f"a picture of {frame.size} bytes is over the limit of {LARGEST}")
    if blob.read(0, 2) in {b"II", b"MM"}:
        return _tiff(blob, frame)
    from PIL import Image

    with Image.open(io.BytesIO(blob.read(0, blob.stat.size)), formats=("PNG", "JPEG", "BMP")) as picture:
        mode: Any = picture.mode
        if picture.width * picture.height * len(picture.getbands()) > frame.size:
            raise Unreadable(f"{frame.path} has more pixels than its place in the memory")
        return np.asarray(picture.convert("RGB") if mode == "P" else picture)


def _tiff(blob: Blob, frame: Frame) -> Pixels:
    from tifffile import TiffFile

    with TiffFile(buffered(blob)) as file:
        page = file.pages.first
        if page.nbytes != frame.size:
            raise Unreadable(f"{frame.path} has {page.nbytes} bytes of pixels, not {frame.size}")
        check_compression(int(page.compression), BOUNDED)
        return np.asarray(page.asarray()).astype(page.dtype.newbyteorder("<"), copy=False)
