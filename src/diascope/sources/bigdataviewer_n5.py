"""BigDataViewer's XML with pixels in N5: each setup is an image of the N5 beside it, in its place in the world.

https://github.com/bigdataviewer/bigdataviewer-core/blob/master/BDV%20N5%20format.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from diascope.errors import Unreadable
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.members import Member, Members
from diascope.sources.reading.spim.loader import ROOT, SUFFIX, loader
from diascope.sources.reading.spim.spim_data import Setup, spim_data
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.source import Head, Source, stat_version
from diascope.stores.store import Store

FORMAT = "bdv.n5"


def _matches(head: Head) -> bool:
    return ROOT in head.first and f'format="{FORMAT}"'.encode() in head.first


def _container(store: Store, path: str) -> str:
    found = loader(store, path)
    if found.format != FORMAT or not found.container:
        raise Unreadable(f"{path}: its image loader {found.format[:100]!r} names no N5")
    if store.stat(found.container) is None:
        raise Unreadable(f"{path}: {found.container}, which has the pixels, is missing")
    return found.container


def _opened(store: Store, path: str, members: Members) -> Dataset:
    seen = _version(store, path, members)
    container = _container(store, path)
    setups = {setup.name: setup for setup in spim_data(store, path).setups}
    there = {name: setup for name, setup in setups.items() if store.stat(f"{container}/setup{setup.id}")}
    if not there:
        raise Unreadable(f"{path}: {container} has none of its setups")
    images = Lazily(there, lambda name: _image(there[name], members, container))
    return Dataset(version=seen, images=images, files=(path, container))


def _version(store: Store, path: str, members: Members) -> str:
    try:
        container = _container(store, path)
    except Unreadable:
        return stat_version(store, path)
    return f"{stat_version(store, path)}+{members.version(Member(container)) or ''}"


def _image(setup: Setup, members: Members, container: str) -> Image:
    """That of the N5 in the unit of the setup's voxels."""
    image = members.image(Member(container, f"setup{setup.id}"))
    sizes = dict(zip("xyz", setup.voxel, strict=True))
    units = {axis.name: axis.unit for axis in setup.axes}
    metadata = replace(image.metadata, format="BigDataViewer XML/N5", extra={**image.metadata.extra, **setup.told})
    return replace(
        image,
        name=setup.name,
        axes=tuple(Axis(axis.name, units.get(axis.name, axis.unit)) for axis in image.axes),
        levels=tuple(_placed(level, image, sizes) for level in image.levels),
        channels=(setup.channel,) if "c" not in image.axis_names else image.channels,
        world=setup.world,
        metadata=metadata,
    )


def _placed(level: Level, image: Image, sizes: Mapping[str, float]) -> Level:
    """The same level where the finest one's pixels have these distances, and the first of them lies at 0."""
    finest = image.levels[0]
    scale, translation = list(level.scale), list(level.translation)
    for d, axis in enumerate(image.axes):
        if axis.name in sizes:
            unit = sizes[axis.name] / finest.scale[d]
            scale[d] *= unit
            translation[d] = (translation[d] - finest.translation[d]) * unit
    return replace(level, scale=tuple(scale), translation=tuple(translation))


def _within(members: Members) -> Source:
    return Source(
        name="bigdataviewer_n5",
        title="BigDataViewer XML/N5",
        suffixes=(SUFFIX,),
        doubtful=(SUFFIX,),
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=lambda store, path: _version(store, path, members),
        supports="each setup as an image over time, all levels, and the registration of its first time as the way into "
        "the world",
        within=_within,
    )


source = _within(UNBOUND)
