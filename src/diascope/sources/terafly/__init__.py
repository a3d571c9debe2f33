"""TeraFly's pyramids of volumes in folders of tiles, as TeraStitcher and TeraConverter write them.

::

    RES(1024x2048x512)/            y, x and z of a level; the largest is the finest
        mdata.bin                  the size of voxels
        000000/                    y of the tile, in tenths of a micrometre
            000000_002560/         y and x
                000000_002560_000000.tif      y, x and z: a volume, or one plane of many

A folder of such tiles without ``RES`` around it is an image of one level. https://github.com/abria/TeraStitcher
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

from diascope.errors import Unreadable
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Metadata
from diascope.image.region import Ints
from diascope.sources.dataset import Dataset
from diascope.sources.members import Members
from diascope.sources.reading.documents import joined
from diascope.sources.reading.folders import subfolders
from diascope.sources.reading.listed import listed
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.steady import Steady
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.source import Head, Source
from diascope.sources.terafly.grid import MDATA, Grid, grid
from diascope.sources.terafly.tiles import tiled_level
from diascope.stores.store import Store

LEVEL = re.compile(r"RES\((\d{1,12})x(\d{1,12})x(\d{1,12})\)", re.IGNORECASE)
TILES = re.compile(r"\d{6,12}/")
MOST_LEVELS = 32
MOST_FOLDERS = 1000
"""Of tiles, that are looked at to tell the version."""


def _levels(store: Store, path: str) -> list[tuple[str, Ints]]:
    """The folders of the levels with the sizes along z, y and x that they are named after, the finest first."""
    own = LEVEL.fullmatch(path.rpartition("/")[2])
    names = [(name, LEVEL.fullmatch(name)) for name, is_folder in store.names(path) if is_folder]
    found = [(joined(path, name), _sizes(match)) for name, match in names if match]
    if not found:
        return [(path, _sizes(own) if own else ())]
    if len(found) > MOST_LEVELS:
        raise Unreadable(f"{path}: {len(found)} levels are over the limit of {MOST_LEVELS}")
    return sorted(found, key=lambda level: level[1], reverse=True)


def _sizes(match: re.Match[str]) -> Ints:
    y, x, z = (int(size) for size in match.groups())
    return (z, y, x)


def _opened(store: Store, path: str, members: Members) -> Dataset:
    version = _version(store, path)
    steady = Steady(members)
    grids = [grid(store, steady, folder, sizes) for folder, sizes in _levels(store, path)]
    name = stem(path, ()) or "image"
    return Dataset(version=version, images={name: _image(name, grids, steady)}, files=(path,))


def _version(store: Store, path: str) -> str:
    """Of the folders of levels and of tiles, as many as is cheap, and of what stands first in the levels."""
    levels = [folder for folder, _ in _levels(store, path)]
    tiles = islice(chain.from_iterable(_tiles(store, level) for level in levels), MOST_FOLDERS)
    return listed(store, [path, *levels, *tiles], [joined(level, MDATA) for level in levels])


def _tiles(store: Store, level: str) -> Iterator[str]:
    """The folders of a level, each row before the tiles in it."""
    for row in subfolders(store, level):
        yield joined(level, row)
        yield from (joined(joined(level, row), name) for name in subfolders(store, joined(level, row)))


def _image(name: str, grids: list[Grid], members: Steady) -> Image:
    first = grids[0].first
    levels = [tiled_level(each, members) for each in grids]
    unit = "micrometer" if grids[0].voxel else None
    return Image(
        name=name,
        kind=first.kind,
        axes=tuple(Axis(axis, unit if axis in "zyx" else None) for axis in grids[0].axes),
        levels=tuple(_placed(level, levels[0]) for level in levels),
        metadata=Metadata(format="TeraFly", rescale=first.metadata.rescale, palette=first.metadata.palette),
    )


def _placed(level: Level, finest: Level) -> Level:
    """A coarser level, whose pixels are bins of the finest one's; sizes are rounded down."""
    factors = [max(round(a / b), 1) for a, b in zip(finest.shape, level.shape, strict=True)]
    return replace(
        level,
        scale=tuple(size * factor for size, factor in zip(finest.scale, factors, strict=True)),
        translation=tuple((factor - 1) / 2 * size for size, factor in zip(finest.scale, factors, strict=True)),
    )


def _matches(head: Head) -> bool:
    """A folder of folders that are named after sizes, or of nothing but folders that are named after places."""
    if head.first:
        return False
    names = head.names()
    if any(name.endswith("/") and LEVEL.fullmatch(name[:-1]) for name in names):
        return True
    folders = [name for name in names if name.endswith("/")]
    is_level = LEVEL.fullmatch(head.name) or MDATA in names
    return bool(folders) and bool(is_level) and all(map(TILES.fullmatch, folders))


def _within(members: Members) -> Source:
    return Source(
        name="terafly",
        title="TeraFly",
        suffixes=(),
        folders="folder with `RES(…x…x…)`, folder of tiles with `mdata.bin`",
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=_version,
        within=_within,
        supports="levels of tiles that are volumes or planes, in TIFF or whatever else is read; not overlapping tiles "
        "that are yet to be stitched",
    )


source = _within(UNBOUND)
