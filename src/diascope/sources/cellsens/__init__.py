"""Olympus cellSens: a VSI file, which is a TIFF with a tree of properties, and the ETS files with the pixels beside it.

There is no public specification; the layout is as Bio-Formats documents it in its reader
(https://docs.openmicroscopy.org/bio-formats/latest/formats/cellsens-vsi.html).
"""

from __future__ import annotations

from diascope.sources.cellsens.content import opened, version
from diascope.sources.cellsens.volume import START
from diascope.sources.source import Head, Source

MAGIC = (b"II*\0", b"II+\0")


def _matches(head: Head) -> bool:
    """A TIFF file whose properties begin behind its header; the name tells nothing, for TIFF files are many things."""
    return head.first.startswith(MAGIC) and head.first[8 : 8 + len(START)] == START


source = Source(
    name="cellsens",  # which comes before tiff, whose magic it shares
    title="Olympus cellSens VSI",
    suffixes=(".vsi",),
    matches=_matches,
    open=opened,
    version=version,
    library="imagecodecs, tifffile",
    modules=("imagecodecs", "tifffile"),
    supports="stacks of z, t and c and pyramids in ETS files; plain, JPEG, JPEG 2000, PNG and BMP; label and macro",
)
