"""The setups of a file of BigDataViewer as images.

::

    s00/resolutions                 by how much each level is reduced along x, y, z; subdivisions: its chunks
    t00000/s00/0/cells              time, setup, level: an array along z, y and x; t00000/s00 may lie in another file

Unsigned 16-bit numbers are stored as signed ones, unless ``dataType`` of ``s00`` says that they are signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Metadata
from diascope.image.region import whole
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.beside import fingerprint
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.file import files
from diascope.sources.reading.h5.node import Group, root
from diascope.sources.reading.h5.stack import Stack
from diascope.sources.reading.spim.loader import Loader, loader
from diascope.sources.reading.spim.spim_data import Setup, SpimData, spim_data
from diascope.sources.source import stat_version
from diascope.stores.store import Store

FORMAT = "bdv.hdf5"
MOST_LEVELS = 32
LOOKED_AT = 1000
"""Among so many first times one is looked for at which a setup was recorded."""


def opened(store: Store, path: str) -> Dataset:
    found = _loader(store, path)
    stamp = fingerprint(store, (path, found.container, *found.partitions))
    folder = found.container.rpartition("/")[0]
    beside = {each.rpartition("/")[2]: each for each in found.partitions if each.rpartition("/")[0] == folder}
    versions = {name: stat_version(store, each) for name, each in beside.items()}
    if store.stat(found.container) is None:
        raise Unreadable(f"{path}: the file {found.container}, which has the pixels, is missing")
    top = root(files(store, found.container, versions))
    document = spim_data(store, path)
    setups = {setup.name: setup for setup in document.setups}
    there = {name: first for name, setup in setups.items() if (first := _first_time(top, setup, document)) is not None}
    if not there:
        raise Unreadable(f"{path}: {found.container} has none of its views")
    images = Lazily(there, lambda name: _Views(top, setups[name], document.times, there[name]).image)
    return Dataset(version=stamp, images=images, files=(path, found.container, *beside.values()))


def version(store: Store, path: str) -> str:
    try:
        found = _loader(store, path)
    except Unreadable:
        return stat_version(store, path)
    return fingerprint(store, (path, found.container, *found.partitions))


def _loader(store: Store, path: str) -> Loader:
    found = loader(store, path)
    if found.format != FORMAT or not found.container:
        container = f", which are in {found.container}" if found.container else ""
        raise Unreadable(f"{path}: its image loader {found.format[:100]!r} is not read{container}; {FORMAT} is")
    return found


def _first_time(top: Group, setup: Setup, document: SpimData) -> int | None:
    """The first time at which a setup was recorded, None where it never was among the first ones."""
    return next((t for t in document.times[:LOOKED_AT] if _is_there(top, t, setup.id)), None)


def _is_there(top: Group, time: int, setup: int) -> bool:
    group = top.group(f"t{time:05}")
    return group is not None and group.has(f"s{setup:02}")


@dataclass(frozen=True, slots=True)
class _Views:
    """One setup at all times."""

    top: Group
    setup: Setup
    times: tuple[int, ...]
    first: int

    @property
    def image(self) -> Image:
        """With an axis t where there are several times."""
        factors = self._factors
        setup = self.setup
        return Image(
            name=setup.name,
            kind="intensity",
            axes=setup.axes[self._dropped :],
            levels=tuple(self._level(k, factors[k].tolist()) for k in range(len(factors))),
            channels=(setup.channel,),
            world=setup.world,
            metadata=Metadata(format="BigDataViewer XML/HDF5", extra=setup.told),
        )

    @property
    def _dropped(self) -> int:
        """How many axes are left out before z."""
        return int(len(self.times) == 1)

    @property
    def _factors(self) -> NDArray[np.float64]:
        """By how much each level is reduced, along x, y and z; checked to be what can be."""
        table = self.top.array(f"s{self.setup.id:02}", "resolutions")
        if table is None or len(table.shape) != 2 or table.shape[1] != 3 or table.shape[0] > MOST_LEVELS:
            raise Unreadable(f"the setup {self.setup.id} has no list of its resolutions")
        found = table.read(whole(table.shape)).astype(np.float64)
        if not np.isfinite(found).all() or found.min() <= 0:
            raise Unreadable(f"the setup {self.setup.id} has resolutions that cannot be: {found.tolist()}")
        return found

    def _level(self, level: int, factors: list[float]) -> Level:
        first = self._array(self.first, level)
        if first is None or len(first.shape) != 3:
            raise Unreadable(f"level {level} of the setup {self.setup.id} has no cells along z, y and x")
        stack = Stack(
            array=lambda index: self._array(self.times[index[0] if index else 0], level),
            leading=() if self._dropped else (len(self.times),),
            box=first.shape,
            first=first,
            dtype=self._dtype(first),
        )
        steps = [size * factor for size, factor in zip(self.setup.voxel, factors, strict=True)][::-1]
        shifts = [(factor - 1) / 2 * size for size, factor in zip(self.setup.voxel, factors, strict=True)][::-1]
        return Level(
            shape=stack.shape,
            dtype=stack.dtype,
            chunk_shape=stack.chunk_shape,
            scale=(*(1.0 for _ in stack.leading), *steps),
            translation=(*(0.0 for _ in stack.leading), *shifts),
            read_pixels=stack.read,
        )

    def _array(self, time: int, level: int) -> Array | None:
        """None where the view is missing."""
        if not _is_there(self.top, time, self.setup.id):
            return None
        return self.top.array(f"t{time:05}", f"s{self.setup.id:02}", str(level), "cells")

    def _dtype(self, first: Array) -> np.dtype[Any]:
        group = self.top.group(f"s{self.setup.id:02}")
        told = group.attributes.text("dataType") if group else ""
        unsigned = np.dtype(f"u{first.dtype.itemsize}")
        if first.dtype.kind == "i" and (told == unsigned.name or (not told and first.dtype == np.int16)):
            return unsigned
        return first.dtype
