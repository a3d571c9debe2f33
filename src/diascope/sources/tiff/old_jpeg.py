"""Old-style JPEG, whose tables lie in tags (TIFF 6.0, section 22): decoded whole by Pillow, whose libtiff mends it."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.sources.tiff.handle import handle
from diascope.stores.store import Blob

OLD_JPEG = 6
START = b"\xff\xd8"


def is_bare(blob: Blob, frame: Any) -> bool:
    """Whether a page has scans without the headers that make them JPEG files."""
    if frame.keyframe.compression != OLD_JPEG:
        return False
    start = int(frame.dataoffsets[0])
    return blob.read(start, start + len(START)) != START


def decoded(blob: Blob, frame: Any, where: str) -> Pixels:
    """All the pixels of a page in its five axes."""
    index = frame.index if isinstance(frame.index, int) else None
    if index is None:
        raise Unreadable(f"{where}: old-style JPEG in a directory below another")
    # A pyramid of such pages is unknown; the whole of one is decoded for each chunk.
    with Image.open(handle(blob), formats=("TIFF",)) as picture:
        picture.seek(index)
        pixels = np.asarray(picture)
    return pixels.reshape(frame.keyframe.shaped)
