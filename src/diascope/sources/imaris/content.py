"""The images of an Imaris file.

::

    DataSet/ResolutionLevel r/TimePoint t/Channel c/Data      volumes (z, y, x), padded; the group has ImageSizeX …
    DataSetInfo/Image, DataSetInfo/Channel c, DataSetInfo/TimeInfo                       attributes, texts all of them
    DataSet1 …, DataSetInfo1 …                                                                 further ones, if any
    Thumbnail/Data                                                  a picture, four numbers a pixel beside one another

A ``Channel c`` may be a link to a group of another file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from diascope.errors import NotFound, Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, in_memory
from diascope.image.metadata import Metadata
from diascope.image.region import Ints, whole
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.imaris.info import Info
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.file import NotTaken, files
from diascope.sources.reading.h5.node import Group, root
from diascope.sources.reading.h5.stack import Stack
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import stat_version
from diascope.stores.store import Store

SUFFIX = ".ims"

MASTER_SIZE = 1 << 24
"""Only files of at most so many bytes are looked at for others beside them: a larger one has its pixels itself."""

MOST_BESIDE = 10_000

MOST = {"ResolutionLevel": 32, "TimePoint": 100_000, "Channel": 1000}
MOST_SETS = 100
LARGEST_THUMBNAIL = 1 << 24


def opened(store: Store, path: str) -> Dataset:
    folder = path.rpartition("/")[0]
    near = {name: f"{folder}/{name}" if folder else name for name in _beside(store, path)}
    stamp = stat_version(store, path)
    versions = {name: stat_version(store, each) for name, each in near.items()}
    top = root(files(store, path, versions))
    name = stem(path, (SUFFIX,))
    sets = list(_sets(top))
    if not sets:
        raise Unreadable(f"{path}: it has no group DataSet, as files of Imaris do")
    images = {}
    for suffix in sets:
        called = name if len(sets) == 1 else f"DataSet{suffix}"
        images[called] = _image(top, suffix, called)
    return Dataset(
        version="+".join([stamp, *versions.values()]),
        images=images,
        associated=_thumbnails(top),
        files=(path, *near.values()),
    )


def version(store: Store, path: str) -> str:
    """Of the file, and of those beside it that it may be made of."""
    folder = path.rpartition("/")[0]
    near = _beside(store, path)
    stats = [stat_version(store, f"{folder}/{name}" if folder else name) for name in near]
    return "+".join([stat_version(store, path), *stats])


def _beside(store: Store, path: str) -> list[str]:
    """The names of the files that links may lead to: HDF5 in the same folder, named after this one."""
    stat = store.stat(path)
    if stat is None or stat.size > MASTER_SIZE:
        return []
    folder, _, name = path.rpartition("/")
    start = stem(name, (SUFFIX,))
    try:
        names = sorted(n for n, is_folder in store.names(folder) if n.startswith(start) and n.endswith(".h5"))
    except NotFound:
        return []
    return names[:MOST_BESIDE]


def _sets(top: Group) -> Iterator[str]:
    """What comes after DataSet in the names of the data sets."""
    for number in range(MOST_SETS):
        suffix = str(number or "")
        if top.group(f"DataSet{suffix}") is None:
            return
        yield suffix


def _count(parent: Group, what: str) -> int:
    """How many there are, numbered from 0."""
    return next((k for k in range(MOST[what]) if not parent.has(f"{what} {k}")), MOST[what])


def _image(top: Group, suffix: str, name: str) -> Image:
    """Raises Unreadable where its first volume is missing."""
    data = top.group(f"DataSet{suffix}")
    first = data.group("ResolutionLevel 0") if data else None
    start = first.group("TimePoint 0") if first else None
    if data is None or first is None or start is None:
        raise Unreadable(f"DataSet{suffix} has no ResolutionLevel 0 with a TimePoint 0")
    leading = (_count(first, "TimePoint"), _count(start, "Channel"))
    stacks = [_stack(data, k, leading) for k in range(_count(data, "ResolutionLevel"))]
    info = Info(top.group(f"DataSetInfo{suffix}"), stacks[0].box)
    units = dict.fromkeys("zyx", info.unit) if info.unit else {}
    if info.interval(leading[0]):
        units["t"] = "second"
    return Image(
        name=name,
        kind="intensity",
        axes=axes_named("tczyx", units),
        levels=tuple(_level(stack, info, leading[0]) for stack in stacks),
        channels=tuple(info.channel(k) for k in range(leading[1])),
        metadata=info.metadata,
    )


def _stack(data: Group, level: int, leading: Ints) -> Stack:
    def found(index: Ints) -> tuple[Group, Array]:
        time, channel = index
        group = data.group(f"ResolutionLevel {level}", f"TimePoint {time}", f"Channel {channel}")
        array = group.array("Data") if group else None
        if group is None or array is None:
            raise Unreadable(f"level {level}, time {time} and channel {channel} have no volume")
        return group, array

    group, array = found((0, 0))
    if len(array.shape) != 3:
        raise Unreadable(f"{array.path} has {len(array.shape)} axes, not z, y and x")
    return Stack(
        array=lambda index: found(index)[1],
        leading=leading,
        box=_box(group, array),
        first=array,
        dtype=array.dtype,
    )


def _box(group: Group, array: Array) -> Ints:
    """The size of a volume without its padding."""
    told = [group.attributes.number(f"ImageSize{axis}") for axis in "ZYX"]
    sizes = tuple(size if each is None else int(each) for each, size in zip(told, array.shape, strict=True))
    if any(not 0 < size <= most for size, most in zip(sizes, array.shape, strict=True)):
        raise Unreadable(f"{array.path} of the shape {array.shape} cannot hold {sizes} pixels, as is told of it")
    return sizes


def _level(stack: Stack, info: Info, times: int) -> Level:
    """All levels have the same edges."""
    steps = info.steps(stack.box)
    finest = info.steps(info.box)
    return Level(
        shape=stack.shape,
        dtype=stack.dtype,
        chunk_shape=stack.chunk_shape,
        scale=(info.interval(times) or 1.0, 1.0, *steps),
        translation=(0.0, 0.0, *((step - fine) / 2 for step, fine in zip(steps, finest, strict=True))),
        read_pixels=stack.read,
    )


def _thumbnails(top: Group) -> Mapping[str, Image]:
    """The picture that Imaris shows of the file, without its opacity."""
    try:
        array = top.array("Thumbnail", "Data")
    except NotTaken:
        return {}
    if array is None or array.dtype != np.uint8 or len(array.shape) != 2 or array.shape[1] % 4:
        return {}
    found = array if array.shape[0] * array.shape[1] <= LARGEST_THUMBNAIL else None
    return Lazily(["thumbnail"], lambda _: _thumbnail(found)) if found else {}


def _thumbnail(array: Array) -> Image:
    pixels = array.read(whole(array.shape)).reshape(array.shape[0], -1, 4)
    levels = (in_memory(np.moveaxis(pixels[..., :3], -1, 0)),)
    return Image(
        name="thumbnail", kind="rgb", axes=axes_named("cyx"), levels=levels, metadata=Metadata(format="Imaris")
    )
