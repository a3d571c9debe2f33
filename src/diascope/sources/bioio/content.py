"""What a file is to BioIO: scenes, each with a reader of its own, for the scene of a reader is a state that changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

import numpy as np

from diascope.errors import Changed, Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.optional import library
from diascope.sources.bioio.facts import Facts, facts
from diascope.sources.bioio.plugins import suffixes
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import stat_version
from diascope.stores.local_file import LocalFile, local_file
from diascope.stores.store import Store

ORDER = "TCZYXS"
COLOURS = (3, 4)
MOST_SCENES = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """A local file as BioIO opens it, and what it is a copy of."""

    local: LocalFile
    store: Store
    path: str
    version: str
    reader: Any
    """The class of the plug-in that reads it."""
    lock: Lock = field(default_factory=Lock)
    """Held while a plug-in reads: none of them promises to be called from many threads."""

    def scene(self, number: int, level: int = 0) -> Any:
        """A reader of its own that is at this scene and level for ever."""
        found = self.reader(str(self.local.path))
        found.set_scene(number)
        if level:
            found.set_resolution_level(level)
        return found

    def check(self) -> None:
        """Raise Changed where the file has: a plug-in opens it again whenever it reads."""
        if stat_version(self.store, self.path) != self.version:
            raise Changed(f"{self.path}: it has changed since it was opened")


def opened(store: Store, path: str) -> Dataset:
    """Its scenes as images; one alone is named after the file."""
    version = stat_version(store, path)
    local = local_file(store, path)
    # Without its cache BioIO looks for plug-ins again for every file.
    plugin = library("bioio", "bioio").BioImage.determine_plugin(str(local.path), use_plugin_cache=True)
    file = File(local, store, path, version, plugin.metadata.get_reader())
    with file.lock:
        scenes = file.scene(0).scenes
    if len(scenes) > MOST_SCENES:
        raise Unreadable(f"{len(scenes)} scenes are over the limit of {MOST_SCENES}")
    names = safe_names(map(str, scenes)) if len(scenes) > 1 else [stem(path, _endings())]
    numbers = {name: k for k, name in enumerate(names)}
    images = Lazily(names, lambda name: _image(file, numbers[name], name))
    return Dataset(version=version, images=images, files=(path,))


_endings = cache(suffixes)
"""Looking through what is installed takes longer than opening a file."""


def _image(file: File, number: int, name: str) -> Image:
    with file.lock:
        first = file.scene(number)
        data = [_Data.of(first)]
        data += [_Data.of(file.scene(number, level)) for level in first.resolution_levels[1:]]
        told = facts(first)
    finest = data[0]
    coarser = [each for each in data[1:] if each.is_reduced(finest)]
    return Image(
        name=name,
        kind="rgb" if finest.is_rgb and finest.dtype.kind == "u" else "intensity",
        axes=axes_named(finest.axes, {axis: unit for axis, unit in told.units.items() if axis in finest.axes}),
        levels=tuple(_level(file, each, finest, told) for each in (finest, *coarser)),
        channels=told.channels if len(told.channels) == finest.sizes["c"] and not finest.is_rgb else (),
        metadata=told.metadata,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """A lazy array along t, c, z, y, x and samples."""

    array: Any
    samples: int

    @classmethod
    def of(cls, scene: Any) -> _Data:
        """Of a reader; tiles of a mosaic are put together where it can."""
        found = scene.xarray_dask_data
        if "M" in found.dims and found.sizes["M"] > 1:
            found = scene.mosaic_xarray_dask_data
        more = {name: int(size) for name, size in found.sizes.items() if name not in ORDER}
        if any(size > 1 for size in more.values()):
            raise Unreadable(f"its dimensions {more} are not supported")
        array = found.data[tuple(0 if name in more else slice(None) for name in found.dims)]
        names = [name for name in found.dims if name not in more]
        if not {"Y", "X"} <= set(names):
            raise Unreadable(f"its dimensions {''.join(names)} are no plane")
        array = array.transpose([names.index(name) for name in ORDER if name in names])
        array = array[tuple(slice(None) if name in names else None for name in ORDER)]
        return cls(array, int(array.shape[-1]))

    @property
    def dtype(self) -> np.dtype[Any]:
        stored: np.dtype[Any] = np.dtype(self.array.dtype)
        return stored.newbyteorder("=")

    @property
    def is_rgb(self) -> bool:
        return self.samples in COLOURS and self.array.shape[1] == 1

    @property
    def sizes(self) -> dict[str, int]:
        """Samples are channels behind one another."""
        t, c, z, y, x, s = (int(size) for size in self.array.shape)
        return {"t": t, "c": c * s, "z": z, "y": y, "x": x}

    @property
    def axes(self) -> str:
        return "".join(axis for axis, size in self.sizes.items() if axis in "yx" or size > 1)

    @property
    def chunk(self) -> dict[str, int]:
        """Of what is read at once, with all the samples of a channel."""
        sides = [max(int(side) for side in sizes) for sizes in self.array.chunks]
        return dict(zip("tczyx", sides, strict=False)) | {"c": max(sides[1], 1) * self.samples}

    def is_reduced(self, finest: _Data) -> bool:
        """Whether it is a coarser level of another."""
        mine, other = self.sizes, finest.sizes
        return self.dtype == finest.dtype and all(
            0 < mine[axis] <= other[axis] if axis in "zyx" else mine[axis] == other[axis] for axis in mine
        )

    def read(self, box: dict[str, tuple[int, int]]) -> Pixels:
        """The pixels along t, c, z, y and x."""
        first, last = box["c"][0] // self.samples, -(-box["c"][1] // self.samples)
        key = (slice(*box["t"]), slice(first, last), *(slice(*box[axis]) for axis in "zyx"), slice(None))
        pixels = np.asarray(self.array[key].compute(scheduler="synchronous"))
        t, c, z, y, x, s = pixels.shape
        planar = np.moveaxis(pixels, -1, 2).reshape(t, c * s, z, y, x)
        return planar[:, box["c"][0] - first * s : box["c"][1] - first * s].astype(self.dtype, copy=False)


def _level(file: File, data: _Data, finest: _Data, told: Facts) -> Level:
    axes, sizes, chunk = finest.axes, data.sizes, data.chunk
    factors = {axis: finest.sizes[axis] / sizes[axis] for axis in axes}
    spacing = {axis: told.spacing.get(axis, 1.0) for axis in axes}

    def read_pixels(region: Region) -> Pixels:
        ends = dict(zip(axes, zip(region.start, region.stop, strict=True), strict=True))
        with file.lock:
            file.check()
            pixels = data.read({axis: ends.get(axis, (0, 1)) for axis in "tczyx"})
            file.check()
        return pixels[tuple(slice(None) if axis in axes else 0 for axis in "tczyx")]

    return Level(
        shape=tuple(sizes[axis] for axis in axes),
        dtype=data.dtype,
        chunk_shape=tuple(min(chunk[axis], sizes[axis]) for axis in axes),
        scale=tuple(spacing[axis] * factors[axis] for axis in axes),
        translation=tuple((factors[axis] - 1) / 2 * spacing[axis] for axis in axes),
        read_pixels=read_pixels,
    )
