"""Which compressions of TIFF are decoded in the server's own process, by their numbers in the tag Compression.

Whatever is not listed is not trusted: decoders that crash (JPEG XR) or miscount (PNG), that make as many pixels as the
bytes tell them to (LERC, WebP, JPEG XL), and those that nobody has tried.
"""

from __future__ import annotations

from diascope.sources.distrust import distrust

BOUNDED = frozenset({1, 5, 8, 32773, 32946, 34925, 34926, 50000, 50013})
"""None, LZW, Deflate, PackBits, LZMA and Zstandard, which never make more bytes than they are told to."""

PICTURES = frozenset({6, 7, 33003, 33004, 33005, 33007, 34712, 34892})
"""JPEG and JPEG 2000, whose streams say how large they are before they are decoded."""

PACKED_BITS = frozenset({2, 3, 4, 34676})
"""Facsimiles, whose decoders are told the size, and LogLuv, which is decoded here."""


def check_compression(compression: int, trusted: frozenset[int]) -> None:
    """Raises Untrusted where it is not one of these."""
    if compression not in trusted:
        distrust(f"the TIFF compression {compression}")
