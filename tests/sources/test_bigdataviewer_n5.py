"""BigDataViewer's XML with N5: the images of the N5, in the words of the XML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import diascope
from diascope.errors import Unreadable
from diascope.sources.bigdataviewer_n5 import source
from diascope.stores.local import LocalStore
from tests.sources.bdv_n5_files import stack


def test_setups_are_those_of_the_n5(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    found = diascope.open_dataset(tmp_path / "x.xml").images
    judge = diascope.open_dataset(tmp_path / "x.n5").images
    assert list(found) == ["tile 0", "tile 1"]
    for k, image in enumerate(found.values()):
        assert image.axis_names == "tzyx"
        np.testing.assert_array_equal(image[...], judge[f"setup{k}"][...])
        assert [axis.unit for axis in image.axes[1:]] == ["micrometer"] * 3
        assert [level.scale[1:] for level in image.levels] == [(2.0, 0.25, 0.5), (2.0, 0.5, 1.0)]
        assert [level.translation[1:] for level in image.levels] == [(0, 0, 0), (0, 0.125, 0.25)]
        assert image.channels[0].name == ("red", "green")[k]


def test_the_way_into_the_world(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    for k, image in enumerate(diascope.open_dataset(tmp_path / "x.xml").images.values()):
        assert image.world is not None
        moved = image.world.array @ (1.0, 2.0, 4.0, 1)
        np.testing.assert_allclose(moved[:3], np.array([1 + 10 * k, 2 - 2, 4 + 3]) / 1000, atol=1e-12)


def test_a_change_of_either_is_seen(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    dataset = diascope.open_dataset(tmp_path / "x.xml")
    (tmp_path / "x.xml").touch()
    assert diascope.open_dataset(tmp_path / "x.xml").version != dataset.version


def test_alone_it_says_what_it_lacks(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    with pytest.raises(Unreadable, match="nobody said how to get at"):
        source.open(LocalStore(tmp_path), "x.xml").images["tile 0"]


def test_a_missing_container_is_told(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    (tmp_path / "x.n5").rename(tmp_path / "y.n5")
    with pytest.raises(Unreadable, match=r"x\.xml.*x\.n5, which has the pixels, is missing"):
        diascope.open_dataset(tmp_path / "x.xml")
