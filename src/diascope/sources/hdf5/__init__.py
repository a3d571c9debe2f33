"""HDF5 of whatever kind: each array that can be an image is one, by its path.

https://support.hdfgroup.org/documentation/hdf5/latest/
"""

from __future__ import annotations

from diascope.sources.hdf5.content import opened
from diascope.sources.reading.h5.file import is_hdf5
from diascope.sources.source import Head, Source

SUFFIXES = (".h5", ".hdf5", ".hdf", ".hf5", ".he5", ".emd", ".nxs", ".cxi")

OTHERS = (".ims", ".mnc", ".mnc2")
"""Endings of HDF5 files that sources of their own open."""


def _matches(head: Head) -> bool:
    return is_hdf5(head.first) and not head.name.endswith(OTHERS)


source = Source(
    name="hdf5",
    title="HDF5",
    suffixes=SUFFIXES,
    matches=_matches,
    open=opened,
    library="h5py",
    modules=("h5py",),
    extra="hdf5",
    supports="arrays of 2 to 5 dimensions by their paths; axes of ilastik, ImageJ, NeXus-like dimension scales and EMD "
    "(Velox, Berkeley); s0, s1, … as levels; no links to other files, virtual datasets or plug-ins",
    is_isolated=True,
)
