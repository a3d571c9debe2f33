"""TIFF and the microscopy formats made of it (TIFF 6.0, https://www.loc.gov/preservation/digital/formats/fdd/fdd000022.shtml).

tifffile parses the directories; the pixels are read strip by strip or tile by tile at their places in the file.
"""

from __future__ import annotations

from diascope.sources.source import Head, Source
from diascope.sources.tiff.content import COMPANION, opened
from diascope.sources.tiff.multifile import version

SUFFIXES = (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".svs", ".ndpi", ".scn", ".bif", ".qptiff", ".lsm", ".stk")
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _matches(head: Head) -> bool:
    return head.first.startswith(MAGIC) or (head.name.endswith(COMPANION) and b"<" in head.first)


source = Source(
    name="tiff",
    title="TIFF",
    suffixes=(*SUFFIXES, COMPANION),
    matches=_matches,
    open=opened,
    version=version,
    library="tifffile, imagecodecs",
    modules=("tifffile", "imagecodecs"),
    supports="BigTIFF, OME-TIFF of many files, ImageJ, SVS, NDPI, SCN, BIF, QPTIFF, LSM, STK; pyramids, "
    "compressions that imagecodecs knows",
)
