"""The frames of an animation, decoded in turn."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels


class Frames:
    """Frames of what Pillow opens, each made of the one before it: one frame and the place after it are kept.

    Reading on costs one frame; reading back begins again. Many threads may ask; one at a time decodes.
    """

    def __init__(self, open: Callable[[], Any], mode: str) -> None:
        self._open = open
        self._mode = mode
        self._lock = Lock()
        self._image: Any = None

    def decode(self, frame: int) -> Pixels:
        with self._lock:
            try:
                return self._frame(frame)
            except BaseException:
                # Where a frame is broken the next one must not be composed upon it.
                self._image = None
                raise

    def _frame(self, frame: int) -> Pixels:
        if self._image is None or self._image.tell() > frame:
            self._image = self._open()
        for k in range(self._image.tell(), frame + 1):
            self._image.seek(k)
            self._image.load()
        if self._mode in ("P", "L") and self._image.mode != self._mode:
            raise Unreadable(f"frame {frame} has the mode {self._image.mode} after frames of {self._mode}")
        converted = self._image if self._image.mode == self._mode else self._image.convert(self._mode)
        return np.array(converted)
