"""TeraFly's folders of tiles; tifffile wrote the tiles."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.region import Region
from diascope.registry import registry
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from diascope.testing.sources import bound
from tests.sources.terafly_files import VOLUME, VOXEL, halved, level, mdata, named, planes, pyramid


def test_levels_are_the_folders(tmp_path: Path) -> None:
    pyramid(tmp_path / "brain")
    image = diascope.open(tmp_path / "brain")
    assert (image.name, image.axis_names) == ("brain", "zyx")
    assert [level.shape for level in image.levels] == [(12, 70, 90), (6, 35, 45)]
    np.testing.assert_array_equal(image[...], VOLUME)
    np.testing.assert_array_equal(image.levels[1].read(Region((1, 3, 4), (6, 35, 45))), halved(VOLUME)[1:, 3:, 4:])
    np.testing.assert_array_equal(image[4:6, 31:33, 39:81], VOLUME[4:6, 31:33, 39:81])
    assert image.levels[0].scale == VOXEL
    assert image.levels[1].scale == (8.0, 1.0, 0.5)
    assert image.levels[1].translation == (2.0, 0.25, 0.125)
    assert {axis.unit for axis in image.axes} == {"micrometer"}


@pytest.mark.parametrize("write", [planes, lambda path: level(path / named(VOLUME), VOLUME, VOXEL, (5, 32, 40))])
def test_tiles_are_volumes_or_planes_and_tell_their_size(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "brain")
    image = diascope.open(tmp_path / "brain")
    np.testing.assert_array_equal(image[...], VOLUME)
    assert image.levels[0].scale == VOXEL


def test_a_level_opens_alone(tmp_path: Path) -> None:
    pyramid(tmp_path / "brain")
    np.testing.assert_array_equal(diascope.open(tmp_path / "brain" / "RES(35x45x6)")[...], halved(VOLUME))


def test_colours_are_colours(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (4, 20, 30, 3), dtype=np.uint8)
    folder = tmp_path / "brain" / "000000" / "000000_000000"
    folder.mkdir(parents=True)
    tifffile.imwrite(folder / "000000_000000_000000.tif", colours, photometric="rgb", metadata=None)
    mdata(tmp_path / "brain", colours.shape[:3], VOXEL)
    image = diascope.open(tmp_path / "brain")
    assert (image.kind, image.axis_names, image.levels[0].scale[1:]) == ("rgb", "czyx", VOXEL)
    np.testing.assert_array_equal(image[...], np.moveaxis(colours, -1, 0))


def test_a_tile_that_is_missing_or_unlike_is_told(tmp_path: Path) -> None:
    pyramid(tmp_path / "brain")
    image = diascope.open(tmp_path / "brain")
    tile = next((tmp_path / "brain" / named(VOLUME)).glob("*/*_000100/*_000200.tif"))
    tile.unlink()
    with pytest.raises(Unreadable, match=f"{tile.name}, which is a part of it, is missing"):
        image[...]
    tifffile.imwrite(tile, np.zeros((5, 32, 41), np.uint16))
    with pytest.raises(Unreadable, match="should be"):
        diascope.open(tmp_path / "brain")[...]


def test_a_tile_that_is_replaced_never_mixes(tmp_path: Path) -> None:
    pyramid(tmp_path / "brain")
    image = diascope.open(tmp_path / "brain")
    tile = tmp_path / "brain" / named(VOLUME) / "000000" / "000000_000000" / "000000_000000_000000.tif"
    tifffile.imwrite(tile, np.zeros((5, 32, 40), np.uint16), metadata=None)
    os.utime(tile, ns=(1, 1))
    with pytest.raises(DiascopeError, match="replaced"):
        image[...]


def test_tiles_of_another_volume_are_refused(tmp_path: Path) -> None:
    level(tmp_path / "brain" / "RES(70x91x12)", VOLUME, VOXEL, (5, 32, 40))
    with pytest.raises(Unreadable, match=r"\(12, 70, 90\) pixels along z, y and x"):
        diascope.open(tmp_path / "brain")


def test_folders_of_other_folders_are_no_volume(tmp_path: Path) -> None:
    (tmp_path / "brain" / "000000" / "000000_000000").mkdir(parents=True)
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open(tmp_path / "brain")


def test_a_region_reads_its_tiles_alone(tmp_path: Path) -> None:
    large = np.random.default_rng(2).integers(0, 60_000, (8, 512, 512), dtype=np.uint16)
    level(tmp_path / "brain" / named(large), large, VOXEL, (8, 64, 64))
    store = CountingStore(LocalStore(tmp_path))
    image = bound(registry("sources")["terafly"], store).open(store, "brain").images["brain"]
    opened = store.count
    np.testing.assert_array_equal(image[3:4, 400:440, 400:440], large[3:4, 400:440, 400:440])
    assert store.count - opened < 4 * 64 * 64 * 8 * 2
