"""Gzip files (RFC 1952), fast, and the same bytes for the same content at any time."""

from __future__ import annotations

from isal import igzip

LEVEL = 1


def encoded(data: bytes) -> bytes:
    """The content in one member without a name or a time."""
    return bytes(igzip.compress(data, compresslevel=LEVEL, mtime=0))
