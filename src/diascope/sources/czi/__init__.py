"""Zeiss CZI (https://github.com/ZEISS/libczi, https://www.zeiss.com/czi).

Its directory is parsed and its pixels are decoded here, each subblock by one request for its bytes.
"""

from __future__ import annotations

from diascope.sources.czi.content import opened
from diascope.sources.czi.segments import MAGIC
from diascope.sources.source import Head, Source


def _matches(head: Head) -> bool:
    return head.first.startswith(MAGIC)


source = Source(
    name="czi",
    title="Zeiss CZI",
    suffixes=(".czi",),
    matches=_matches,
    open=opened,
    library="imagecodecs",
    modules=("imagecodecs",),
    is_isolated=True,  # jxrlib, which decodes JPEG XR, crashes on broken streams
    supports="mosaics, pyramids, scenes and all dimensions; plain, JPEG, JPEG XR, LZW and Zstandard; label, macro and "
    "thumbnail; not images in several files",
)
