"""MINC 1, which is netCDF, and MINC 2, which is HDF5 (https://en.wikibooks.org/wiki/MINC/Reference)."""

from __future__ import annotations

from diascope.errors import Unreadable
from diascope.sources.dataset import Dataset
from diascope.sources.minc.image import image_of
from diascope.sources.minc.minc1 import minc1
from diascope.sources.minc.minc2 import minc2
from diascope.sources.minc.netcdf import MAGICS
from diascope.sources.reading.h5.file import is_hdf5
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.packed.unpacked import head_inside, packing, part_inside
from diascope.sources.source import HEAD_SIZE, Head, Source, stat_version
from diascope.stores.store import Store

SUFFIXES = (".mnc", ".mnc2", ".mnc.gz", ".mnc.bz2")


def _matches(head: Head) -> bool:
    if not head.name.endswith(SUFFIXES):
        return False
    return is_hdf5(head.first) or head_inside(head.first, 4) in MAGICS or packing(head.first) == "bzip2"


def _opened(store: Store, path: str) -> Dataset:
    version = stat_version(store, path)
    blob = store.open(path)
    name = stem(path, SUFFIXES)
    if is_hdf5(blob.read(0, HEAD_SIZE)):
        volume = minc2(store, path)
    elif part_inside(blob, 4) in MAGICS:
        volume = minc1(blob)
    else:
        raise Unreadable(f"{path}: it is neither netCDF, as MINC 1, nor HDF5, as MINC 2")
    return Dataset(version=version, images={name: image_of(volume, name)}, files=(path,))


source = Source(
    name="minc",
    title="MINC",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_opened,
    library="h5py",
    modules=("h5py",),
    extra="hdf5",
    supports="MINC 1 (without the extra) and MINC 2; real values by the ranges of the slices, position in the world",
    is_isolated=True,
)
