"""The high dynamic range of SGI LogLuv and LogL TIFF (https://www.anyhere.com/gward/pixformat/tiffluv.html).

A row is its bytes by significance, highest first: all first bytes of the pixels, then all second ones …
Each of these is runs: n < 128 and then n bytes as they are, or n >= 128 and one byte that stands n - 126 times.

    LogLuv  sign:1  exponent of luminance:15  u':8  v':8
    LogL    sign:1  exponent of luminance:15
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable

SGILOG = 34676
LOGL, LOGLUV = 32844, 32845
BYTES = {LOGL: 2, LOGLUV: 4}

CHROMA = 410.0
"""Steps of u' and v' in one."""


def sgilog_decoder(keyframe: Any) -> Callable[..., Any]:
    """A decoder that gives Y, or X, Y and Z of the CIE, as 32-bit floats in the place of the tag's 16-bit integers."""
    width = int(keyframe.tilewidth if keyframe.is_tiled else keyframe.imagewidth)
    rows = int(keyframe.tilelength if keyframe.is_tiled else keyframe.rowsperstrip)
    first_rows = int(keyframe.imagelength)
    count = BYTES.get(int(keyframe.photometric))

    def decode(data: bytes, index: int, **_: Any) -> tuple[NDArray[np.float32]]:
        if count is None:
            raise Unreadable(f"SGI Log pixels of the photometric interpretation {keyframe.photometric}")
        per_plane = -(-first_rows // rows)
        height = rows if keyframe.is_tiled else min(rows, first_rows - index % per_plane * rows)
        words = _words(data, height, width, count)
        return (_xyz(words) if count == BYTES[LOGLUV] else _luminance(words)[np.newaxis, ..., np.newaxis],)

    return decode


def _words(data: bytes, height: int, width: int, count: int) -> NDArray[np.uint32]:
    words = np.zeros((height, width), np.uint32)
    at = 0
    for y in range(height):
        for _ in range(count):
            plane, at = _run(data, at, width)
            words[y] = words[y] << 8 | plane
    return words


def _run(data: bytes, at: int, width: int) -> tuple[NDArray[np.uint8], int]:
    """One byte of each pixel of a row, and where the next begins."""
    out = bytearray()
    while len(out) < width:
        if at + 1 >= len(data):
            raise Unreadable("its runs end before its rows do")
        n = data[at]
        if n >= 128:
            out += data[at + 1 : at + 2] * (n - 126)
            at += 2
        else:
            out += data[at + 1 : at + 1 + n]
            at += 1 + n
    return np.frombuffer(bytes(out[:width]), np.uint8), at


def _luminance(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    exponent = (words & 0x7FFF).astype(np.float64)
    size = np.where(exponent > 0, np.exp2((exponent + 0.5) / 256 - 64), 0)
    return np.where(words & 0x8000, -size, size).astype(np.float32)


def _xyz(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    luminance = _luminance((words >> 16).astype(np.uint32)).astype(np.float64)
    u, v = ((words >> 8 & 255) + 0.5) / CHROMA, ((words & 255) + 0.5) / CHROMA
    x, y = 9 * u, 4 * v
    z = (6 * u - 16 * v + 12) - x - y
    return np.stack([x / y * luminance, luminance, z / y * luminance], axis=-1)[np.newaxis].astype(np.float32)
