"""OME-TIFF over several files: whole, with a file missing, renamed, and described by a companion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.region import Region, whole
from diascope.sources.dataset import Dataset
from diascope.sources.tiff import source
from diascope.stores.local import LocalStore

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
STORED = np.random.default_rng(2).integers(0, 1000, (2, 3, 24, 30), np.uint16)


def opened(path: Path) -> Dataset:
    return source.open(LocalStore(path.parent), path.name)


def first(path: Path) -> Image:
    return next(iter(opened(path).images.values()))


def uuid(t: int) -> str:
    return f"urn:uuid:0000000{t}"


def described(own: str, file_of: dict[int, str]) -> str:
    """OME-XML of an image with a file for each time, of three planes each."""
    data = "".join(
        f'<TiffData FirstT="{t}" FirstZ="{z}" FirstC="0" IFD="{z}" PlaneCount="1">'
        f'<UUID FileName="{name}">{uuid(t)}</UUID></TiffData>'
        for t, name in file_of.items()
        for z in range(3)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{NAMESPACE}" {own}><Image ID="Image:0" Name="set">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="24" SizeZ="3" SizeC="1"'
        ' SizeT="2" PhysicalSizeX="0.5"><Channel ID="Channel:0:0" SamplesPerPixel="1" Name="one"/>'
        f"{data}</Pixels></Image></OME>"
    )


def write(path: Path, planes: NDArray[np.uint16], description: str | None) -> None:
    with tifffile.TiffWriter(path) as writer:
        for k, plane in enumerate(planes):
            text = description if k == 0 else None
            writer.write(plane, description=text, metadata=None, compression="zlib", contiguous=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for t in range(2):
        description = described(f'UUID="{uuid(t)}"', {0: "t0.ome.tif", 1: "t1.ome.tif"})
        write(tmp_path / f"t{t}.ome.tif", STORED[t], description)
    return tmp_path


@pytest.mark.parametrize("name", ["t0.ome.tif", "t1.ome.tif"])
def test_any_file_of_a_set_opens_the_whole(folder: Path, name: str) -> None:
    dataset = opened(folder / name)
    image = next(iter(dataset.images.values()))
    assert image.axis_names == "tzyx"
    np.testing.assert_array_equal(image[...], STORED)
    assert image.levels[0].scale == (1.0, 1.0, 1.0, 0.5)
    assert image.channels[0].name == "one"
    assert dataset.files[0] == name
    assert set(dataset.files) == {"t0.ome.tif", "t1.ome.tif"}


def test_a_missing_file_is_an_error_where_its_pixels_are_and_nowhere_else(folder: Path) -> None:
    (folder / "t1.ome.tif").unlink()
    level = first(folder / "t0.ome.tif").levels[0]
    np.testing.assert_array_equal(level.read(Region((0, 0, 0, 0), (1, 3, 24, 30))), STORED[:1])
    with pytest.raises(Unreadable, match=r"t1\.ome\.tif' of the same image is missing"):
        level.read(whole(level.shape))


def test_a_file_that_is_unlike_the_others_is_an_error(folder: Path) -> None:
    write(folder / "t1.ome.tif", STORED[1, :, :10], None)
    level = first(folder / "t0.ome.tif").levels[0]
    with pytest.raises(Unreadable, match=r"page 0 of t1\.ome\.tif"):
        level.read(Region((1, 0, 0, 0), (2, 1, 1, 1)))


def test_a_companion_describes_files_that_say_nothing(folder: Path) -> None:
    for t in range(2):
        write(folder / f"t{t}.ome.tif", STORED[t], None)
    (folder / "set.companion.ome").write_text(described("", {0: "t0.ome.tif", 1: "t1.ome.tif"}))
    dataset = opened(folder / "set.companion.ome")
    assert list(dataset.images) == ["set"]
    np.testing.assert_array_equal(dataset.images["set"][...], STORED)


def test_a_file_that_only_names_its_companion(folder: Path) -> None:
    for t in range(2):
        text = (
            f'<OME xmlns="{NAMESPACE}" UUID="{uuid(t)}"><BinaryOnly MetadataFile="set.companion.ome" UUID="x"/></OME>'
        )
        write(folder / f"t{t}.ome.tif", STORED[t], text)
    (folder / "set.companion.ome").write_text(described("", {0: "t0.ome.tif", 1: "t1.ome.tif"}))
    np.testing.assert_array_equal(first(folder / "t1.ome.tif")[...], STORED)
    (folder / "set.companion.ome").unlink()
    np.testing.assert_array_equal(first(folder / "t1.ome.tif")[...], STORED[1])


def test_a_renamed_file_keeps_its_pixels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "old.ome.tif", STORED, metadata={"axes": "TZYX"})
    text = tifffile.tiffcomment(tmp_path / "old.ome.tif")
    assert "UUID" in text
    # Without the identifier of the whole, only the old name tells which file is meant.
    write(tmp_path / "new.ome.tif", STORED.reshape(6, 24, 30), described("", {0: "old-0.tif"}))
    (tmp_path / "old.ome.tif").rename(tmp_path / "other.ome.tif")
    np.testing.assert_array_equal(first(tmp_path / "other.ome.tif")[...], STORED)
    np.testing.assert_array_equal(first(tmp_path / "new.ome.tif")[0], STORED[0])


@pytest.mark.parametrize("name", ["../secret.tif", "/etc/passwd", "a//b.tif", "x\0y"])
def test_names_that_lead_elsewhere_are_missing_files(folder: Path, name: str) -> None:
    text = described(f'UUID="{uuid(0)}"', {0: "t0.ome.tif", 1: name.replace("\0", "&#1;")})
    write(folder / "t0.ome.tif", STORED[0], text)
    with pytest.raises(Unreadable):
        first(folder / "t0.ome.tif")[...]


def test_real_companion(shared_data: Path) -> None:
    folder = shared_data / "ome-tiff" / "companion_multifile"
    planes = [tifffile.imread(folder / f"multifile-Z{z}.ome.tiff") for z in range(1, 6)]
    np.testing.assert_array_equal(first(folder / "multifile.companion.ome")[...], np.stack(planes))


def test_real_companion_without_its_files(shared_data: Path) -> None:
    with pytest.raises(Unreadable, match=r"c3_z33_w1Conf640\.ome\.tif' of the same image is missing"):
        first(shared_data / "ome-tiff" / "c3_z33.companion.ome")
