"""Imaris: volumes without their padding, levels in their places, what the file tells, and links to files beside it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

import diascope
from diascope.errors import Unreadable
from diascope.image.region import Region
from diascope.sources.dataset import Dataset
from diascope.sources.imaris import source
from diascope.stores.local import LocalStore
from tests.judges import bioformats
from tests.judges.required import required
from tests.sources.imaris_files import FACTORS, PIXELS, binned, linked, stack, tell, two_sets


def opened(path: Path) -> Dataset:
    return diascope.open_dataset(path)


def version(path: Path) -> str:
    return source.version(LocalStore(path.parent), path.name)


@pytest.mark.parametrize("writer", [stack, linked])
def test_volumes_have_no_padding(writer: object, tmp_path: Path) -> None:
    writer(tmp_path / "x.ims")  # type: ignore[operator]
    image = opened(tmp_path / "x.ims").images["x"]
    assert (image.axis_names, image.shape) == ("tczyx", PIXELS.shape)
    for level, factors in zip(image.levels, FACTORS, strict=False):
        expected = np.stack([[binned(volume, factors) for volume in channels] for channels in PIXELS])
        np.testing.assert_array_equal(level.read(Region((0,) * 5, level.shape)), expected)


def test_levels_have_the_same_edges(tmp_path: Path) -> None:
    stack(tmp_path / "x.ims")
    image = opened(tmp_path / "x.ims").images["x"]
    assert [axis.unit for axis in image.axes] == ["second", None, *["micrometer"] * 3]
    assert image.levels[0].scale == (60.0, 1.0, 1.0, 0.5, 0.5)
    assert image.levels[0].translation == (0.0,) * 5
    coarse = image.levels[2]
    assert coarse.shape == (2, 3, 4, 12, 17)
    for d, extent in ((2, 9.0), (3, 25.0), (4, 35.0)):
        assert coarse.scale[d] == pytest.approx(extent / coarse.shape[d])
        first = coarse.translation[d] - coarse.scale[d] / 2
        assert first == pytest.approx(-image.levels[0].scale[d] / 2)


def test_what_is_told(tmp_path: Path) -> None:
    stack(tmp_path / "x.ims")
    dataset = opened(tmp_path / "x.ims")
    image, told = dataset.images["x"], dataset.images["x"].metadata
    assert [channel.name for channel in image.channels] == ["dye 0", "dye 1", "dye 2"]
    assert [channel.colour for channel in image.channels] == ["ff0000", "0080ff", "336699"]
    assert [channel.window for channel in image.channels] == [(k, 4000.0) for k in range(3)]
    assert [(channel.excitation, channel.emission) for channel in image.channels] == [(488, 510 + k) for k in range(3)]
    assert (told.acquired, told.magnification, told.aperture) == ("2021-03-04T05:06:07.890000", 63.0, 1.4)
    assert (told.instrument, told.description) == ("Confocal", "a tiny stack")
    assert told.position == {"x": 100.5, "y": -20.0, "z": 3.0}
    assert told.extra["Image"]["Name"] == "tiny"


def test_the_thumbnail(tmp_path: Path) -> None:
    stack(tmp_path / "x.ims")
    thumbnail = opened(tmp_path / "x.ims").associated["thumbnail"]
    with h5py.File(tmp_path / "x.ims") as file:
        expected = file["Thumbnail/Data"][...].reshape(12, 20, 4)
    assert thumbnail.kind == "rgb"
    np.testing.assert_array_equal(thumbnail[...], np.moveaxis(expected[..., :3], -1, 0))


def test_several_data_sets_are_several_images(tmp_path: Path) -> None:
    two_sets(tmp_path / "x.ims")
    images = opened(tmp_path / "x.ims").images
    assert list(images) == ["DataSet", "DataSet1"]
    assert images["DataSet1"].shape == (1, 1, 9, 50, 70)
    assert images["DataSet1"].dtype == np.float32
    np.testing.assert_array_equal(images["DataSet1"][...], PIXELS[:1, :1])


def test_a_file_beside_it_that_changes_is_seen(tmp_path: Path) -> None:
    linked(tmp_path / "x.ims")
    dataset = opened(tmp_path / "x.ims")
    before = version(tmp_path / "x.ims")
    assert dataset.version == before
    part = tmp_path / "x--C01--T00001.h5"
    part.write_bytes(part.read_bytes() + b"\0")
    assert version(tmp_path / "x.ims") != before
    with pytest.raises(Unreadable, match=r"x\.ims was written to"):
        dataset.images["x"][1, 1]


def test_files_of_two_versions_are_never_mixed(tmp_path: Path) -> None:
    """Not even where nobody looks at the version before a file beside it is opened."""
    linked(tmp_path / "x.ims")
    image = source.open(LocalStore(tmp_path), "x.ims").images["x"]
    np.testing.assert_array_equal(image[0, 1], PIXELS[0, 1])
    part = tmp_path / "x--C01--T00001.h5"
    part.write_bytes(part.read_bytes() + b"\0")
    np.testing.assert_array_equal(image[0, 1], PIXELS[0, 1])
    with pytest.raises(Unreadable, match=r"x--C01--T00001\.h5 has changed"):
        image[1, 1]


@pytest.mark.parametrize("target", ["secret.h5", "../secret.h5", "/etc/passwd", "sub/x--secret.h5"])
def test_links_to_other_files_are_not_followed(target: str, tmp_path: Path) -> None:
    stack(tmp_path / "x.ims")
    for name in ("secret.h5", "x--C.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            file.copy(h5py.File(tmp_path / "x.ims")["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"], "found")
    with h5py.File(tmp_path / "x.ims", "a") as file:
        del file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"]
        file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"] = h5py.ExternalLink(target, "/found")
    with pytest.raises(Unreadable, match=r"x\.ims.*which is not followed"):
        opened(tmp_path / "x.ims")


def test_a_size_that_cannot_be_is_refused(tmp_path: Path) -> None:
    stack(tmp_path / "x.ims")
    with h5py.File(tmp_path / "x.ims", "a") as file:
        tell(file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"], ImageSizeX=100_000)
    with pytest.raises(Unreadable, match=r"x\.ims.*cannot hold"):
        opened(tmp_path / "x.ims")


@pytest.mark.judge
def test_bioformats_reads_the_same(tmp_path: Path) -> None:
    required(bioformats.missing())
    stack(tmp_path / "x.ims")
    made = bioformats.converted(tmp_path / "x.ims", tmp_path / "judge.ome.tiff")
    assert isinstance(made, Path), made
    with tifffile.TiffFile(made) as judge:
        series = judge.series[0]
        pixels = series.asarray()
        axes = series.axes
    ours = opened(tmp_path / "x.ims").images["x"][...]
    expected = pixels.transpose([axes.index(axis) for axis in "TCZYX"])
    np.testing.assert_array_equal(ours, expected)
