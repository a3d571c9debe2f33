"""BigDataViewer's XML with pixels in HDF5 (https://imagej.net/plugins/bdv/#about-the-bigdataviewer-data-format)."""

from __future__ import annotations

from diascope.sources.bigdataviewer.content import opened, version
from diascope.sources.reading.spim.loader import ROOT, SUFFIX
from diascope.sources.source import Head, Source


def _matches(head: Head) -> bool:
    return ROOT in head.first and b'format="bdv.n5' not in head.first


source = Source(
    name="bigdataviewer",
    title="BigDataViewer XML/HDF5",
    suffixes=(SUFFIX,),
    doubtful=(SUFFIX,),
    matches=_matches,
    open=opened,
    version=version,
    library="h5py",
    modules=("h5py",),
    extra="hdf5",
    supports="each setup as an image over time, all levels, partitions, and the registration of its first time as the "
    "way into the world; no Zarr or XML/TIFF",
    is_isolated=True,
)
