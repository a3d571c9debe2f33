"""PNG of any depth, decoded whole (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import ctypes

import numpy as np

from diascope.image.level import Pixels


def png_pixels(data: bytes) -> Pixels:
    """Rows, columns and, where there are several, samples. The caller has looked at the size that it declares."""
    import imagecodecs

    try:
        return np.asarray(imagecodecs.png_decode(data))
    except Exception:
        # The decoder gives back one reference to None too many for each broken stream, and Python before 3.12 ends
        # with the last one. One too many harms nobody.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(None))
        raise
