"""Slides of scanners that OpenSlide reads and nothing else here does (https://openslide.org/formats/)."""

from __future__ import annotations

from importlib.util import find_spec

from diascope.sources.openslide.companions import version
from diascope.sources.openslide.content import SUFFIXES, opened
from diascope.sources.source import Head, Source

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
INDEXES = (b"[Virtual Microscope Specimen]", b"[Uncompressed Virtual Microscope Specimen]")
DATABASE = b"SQLite format 3\0"


def _matches(head: Head) -> bool:
    """MIRAX by its name alone, as OpenSlide knows it too: what the file itself holds is a picture, or nothing."""
    name, first = head.name, head.first
    if name.endswith(".mrxs"):
        return bool(first) and not first.startswith(TIFF)
    if name.endswith((".vms", ".vmu")):
        return any(index in first for index in INDEXES)
    if name.endswith(".bif"):
        # The TIFF source shows its tiles side by side; that is better than nothing where OpenSlide is not installed.
        return first.startswith(TIFF) and find_spec("openslide") is not None
    return name.endswith(".svslide") and first.startswith(DATABASE)


source = Source(
    name="openslide",
    title="MIRAX, Hamamatsu VMS and VMU, Sakura, Ventana BIF",
    suffixes=SUFFIXES,
    matches=_matches,
    open=opened,
    version=version,
    library="OpenSlide",
    modules=("openslide",),
    extra="slides",
    supports="all levels, label, macro and thumbnail; one focal plane, brightfield and what the scanner made RGB of",
    is_isolated=True,
    needs_local_file=True,
)
