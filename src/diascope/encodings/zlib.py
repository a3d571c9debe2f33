"""Zlib streams (RFC 1950), fast."""

from __future__ import annotations

import imagecodecs

LEVEL = 1


def encoded(data: bytes) -> bytes:
    """The content in one stream."""
    return bytes(imagecodecs.zlib_encode(data, level=LEVEL))
