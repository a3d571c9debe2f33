"""Gzip files (RFC 1952), fast, and the same bytes for the same content at any time."""

from __future__ import annotations

import imagecodecs

LEVEL = 1


def encoded(data: bytes) -> bytes:
    """The content in one member without a name or a time."""
    return bytes(imagecodecs.gzip_encode(data, level=LEVEL))
