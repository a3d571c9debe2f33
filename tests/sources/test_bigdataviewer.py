"""BigDataViewer: the pixels that npy2bdv wrote, and the way of each setup into the world."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import npy2bdv
import numpy as np
import pytest

import diascope
from diascope.errors import Unreadable
from diascope.image.region import Region
from diascope.sources.bigdataviewer import source
from diascope.sources.source import Head
from diascope.stores.local import LocalStore
from tests.sources.bdv_files import MOVED, PIXELS, VOXEL, one, partitions, stack


def images(path: Path) -> Any:
    return diascope.open_dataset(path).images


def rewritten(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        text, count = re.subn(old, new, text, flags=re.DOTALL)
        assert count, old
    path.write_text(text, encoding="utf-8")


def test_each_setup_is_an_image_over_time(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    found = images(tmp_path / "x.xml")
    assert list(found) == ["setup 0", "setup 1"]
    # It opens files to write to them.
    (tmp_path / "judge").mkdir()
    stack(tmp_path / "judge" / "x.xml")
    judge = npy2bdv.BdvEditor(str(tmp_path / "judge" / "x.h5"))
    for channel, image in enumerate(found.values()):
        assert (image.axis_names, image.shape, image.dtype.name) == ("tzyx", (2, 5, 30, 40), "uint16")
        np.testing.assert_array_equal(image[...], PIXELS[:, channel])
        coarse = image.levels[1].read(Region((0, 0, 0, 0), image.levels[1].shape))
        for time in range(2):
            expected = judge.read_view(time=time, channel=channel, ilevel=1).astype(np.int16).view(np.uint16)
            np.testing.assert_array_equal(coarse[time], expected)
    judge.finalize()


def test_levels_lie_over_each_other(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    image = images(tmp_path / "x.xml")["setup 0"]
    assert [axis.unit for axis in image.axes] == [None, *["micrometer"] * 3]
    assert [level.scale for level in image.levels] == [(1, 2.0, 0.5, 0.5), (1, 2.0, 1.0, 1.0)]
    assert [level.translation for level in image.levels] == [(0, 0, 0, 0), (0, 0, 0.25, 0.25)]
    assert image.channels[0].name == "0"
    assert image.metadata.extra["attributes"] == {"illumination": "0", "channel": "0", "tile": "0", "angle": "0"}


def test_the_way_into_the_world(tmp_path: Path) -> None:
    """The transform that comes last is applied first; here it counts in pixels of half a micrometre."""
    stack(tmp_path / "x.xml")
    found = images(tmp_path / "x.xml")
    assert found["setup 1"].world is None
    world = found["setup 0"].world
    assert world is not None
    calibration = np.diag([1.0, 1.0, 4.0, 1.0])
    registration = np.vstack([MOVED, (0, 0, 0, 1)]) @ calibration
    for pixel in ((0, 0, 0), (39, 29, 4), (7, 3, 2)):
        expected = registration @ (*pixel, 1) * (0.5e-3, 0.5e-3, 0.5e-3, 1)
        position = (*np.multiply(pixel, VOXEL), 1)
        np.testing.assert_allclose(world.array @ position, expected, rtol=1e-6)


def test_a_calibration_alone_leads_nowhere_else(tmp_path: Path) -> None:
    one(tmp_path / "x.xml")
    image = images(tmp_path / "x.xml")["setup 0"]
    assert (image.axis_names, image.world) == ("zyx", None)
    np.testing.assert_array_equal(image[...], PIXELS[0, 0])


def test_registrations_that_change_over_time_are_told(tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    later = r'(timepoint="1" setup="0">.*?<affine>)1\.000000'
    rewritten(tmp_path / "x.xml", (later, r"\g<1>1.100000"))
    found = images(tmp_path / "x.xml")
    assert [image.metadata.extra["registrations_differ"] for image in found.values()] == [True, False]


@pytest.mark.parametrize(
    ("told", "times"),
    [
        ('<Timepoints type="pattern"><integerpattern>0, 1-1:1</integerpattern></Timepoints>', 2),
        ('<Timepoints type="list"><Timepoint><id>1</id></Timepoint></Timepoints>', 1),
    ],
)
def test_times_are_told_in_three_ways(told: str, times: int, tmp_path: Path) -> None:
    stack(tmp_path / "x.xml")
    rewritten(tmp_path / "x.xml", ("<Timepoints.*</Timepoints>", told))
    image = images(tmp_path / "x.xml")["setup 1"]
    expected = PIXELS[:, 1] if times == 2 else PIXELS[1, 1]
    np.testing.assert_array_equal(image[...], expected)


def test_partitions_and_missing_views(tmp_path: Path) -> None:
    partitions(tmp_path / "x.xml")
    dataset = diascope.open_dataset(tmp_path / "x.xml")
    assert dataset.files == ("x.xml", "x.h5", "x-01-00.h5")
    np.testing.assert_array_equal(dataset.images["setup 0"][...], PIXELS[:, 0])
    np.testing.assert_array_equal(dataset.images["setup 1"][0], PIXELS[0, 1])
    assert not dataset.images["setup 1"][1].any()


def test_a_partition_that_the_xml_does_not_name_is_not_followed(tmp_path: Path) -> None:
    partitions(tmp_path / "x.xml")
    rewritten(tmp_path / "x.xml", ("<partition>.*</partition>", ""))
    with pytest.raises(Unreadable, match=r"x\.xml.*x-01-00\.h5', which is not followed"):
        images(tmp_path / "x.xml")["setup 0"][1]


def test_the_version_is_that_of_all_files(tmp_path: Path) -> None:
    partitions(tmp_path / "x.xml")
    store = LocalStore(tmp_path)
    before = source.version(store, "x.xml")
    (tmp_path / "x-01-00.h5").write_bytes((tmp_path / "x-01-00.h5").read_bytes() + b"\0")
    after = source.version(store, "x.xml")
    assert before != after
    (tmp_path / "x.xml").touch()
    assert source.version(store, "x.xml") not in {before, after}


@pytest.mark.parametrize("dtype", ["int16", "uint16"])
def test_the_type_is_the_one_that_is_told(dtype: str, tmp_path: Path) -> None:
    one(tmp_path / "x.xml")
    with h5py.File(tmp_path / "x.h5", "a") as file:
        file["s00"].attrs["dataType"] = dtype
    image = images(tmp_path / "x.xml")["setup 0"]
    assert image.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image[...], PIXELS[0, 0].view(dtype))


def absolute(path: Path) -> None:
    rewritten(path, ('<hdf5 type="relative">', '<hdf5 type="absolute">/'))


def elsewhere(path: Path) -> None:
    rewritten(path, ('<hdf5 type="relative">', '<hdf5 type="relative">../'))


def missing(path: Path) -> None:
    path.with_suffix(".h5").unlink()


def entities(path: Path) -> None:
    rewritten(path, ("<SpimData", '<!DOCTYPE x [<!ENTITY a "b">]><SpimData'))


def other(path: Path) -> None:
    rewritten(path, ("bdv.hdf5", "bdv.multimg.zarr"), ("<hdf5 ", "<zarr "), ("</hdf5>", "</zarr>"))


def no_times(path: Path) -> None:
    rewritten(path, ("<last>1</last>", "<last>10000000</last>"))


def no_resolutions(path: Path) -> None:
    with h5py.File(path.with_suffix(".h5"), "a") as file:
        del file["s00/resolutions"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (absolute, "absolute path"),
        (elsewhere, "does not lie in its folder"),
        (missing, r"the file x\.h5, which has the pixels, is missing"),
        (entities, "declares a document type"),
        (other, r"'bdv\.multimg\.zarr' is not read, which are in x\.h5"),
        (no_times, "more than 100000"),
        (no_resolutions, "no list of its resolutions"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    spoil: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    stack(tmp_path / "x.xml")
    spoil(tmp_path / "x.xml")
    with pytest.raises(Unreadable, match=rf"(?s)x\.xml.*{reason}"):
        images(tmp_path / "x.xml")["setup 0"]


def test_other_xml_is_no_image() -> None:
    assert not source.matches(Head("data.xml", first=b'<?xml version="1.0"?><OME><Image/></OME>'))
