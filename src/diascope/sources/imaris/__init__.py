"""Imaris 5.5 files (https://imaris.oxinst.com/support/imaris-file-format)."""

from __future__ import annotations

from diascope.sources.imaris.content import SUFFIX, opened, version
from diascope.sources.reading.h5.file import is_hdf5
from diascope.sources.source import Head, Source


def _matches(head: Head) -> bool:
    return is_hdf5(head.first) and head.name.endswith(SUFFIX)


source = Source(
    name="imaris",
    title="Imaris",
    suffixes=(SUFFIX,),
    matches=_matches,
    open=opened,
    version=version,
    library="h5py",
    modules=("h5py",),
    extra="hdf5",
    supports="all levels, channels, times and data sets, thumbnails; volumes in .h5 files beside it, named after it; "
    "no surfaces, spots or tracks",
    is_isolated=True,
)
