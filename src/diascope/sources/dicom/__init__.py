"""DICOM: single files, series of slices as volumes, whole slides, segmentations (https://www.dicomstandard.org/current).

pydicom parses the elements; the frames are read and decoded one by one at their places in the file.
"""

from __future__ import annotations

import re

from diascope.sources.dicom.content import SUFFIXES, opened, version
from diascope.sources.dicom.file import is_dicom
from diascope.sources.dicom.folder import DICOMDIR
from diascope.sources.source import Head, Source

BARE = re.compile(r"[^.]+|[0-9.]+")
"""Names without an ending: words, or UIDs."""


def _matches(head: Head) -> bool:
    """Of a folder: one with a DICOMDIR, or of nothing but DICOM files, told by their endings or else by the first."""
    if head.first or head.markers:
        return is_dicom(head.first) or DICOMDIR in head.markers
    names = head.names()
    if len(names) < 2 or any(name.endswith("/") for name in names):
        return False
    if all(name.lower().endswith(SUFFIXES) for name in names):
        return True
    return all(map(BARE.fullmatch, names)) and is_dicom(head.marker(min(names)))


source = Source(
    name="dicom",
    title="DICOM",
    suffixes=SUFFIXES,
    markers=(DICOMDIR,),
    matches=_matches,
    open=opened,
    version=version,
    library="pydicom",
    modules=("pydicom",),
    extra="dicom",
    supports=(
        "files and folders of nothing but these: series as volumes with their geometry, multi-frame objects, whole"
        " slides, segmentations, doses; no waveforms, video and documents"
    ),
)
